#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# How each answer is made, whatever is in it: its type by what the client
# accepts, HEAD like GET, what may be kept and for how long, the same content
# compressed and not, and all of it behind another httpd too.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use HTTP::Date ();
use IO::Uncompress::Gunzip ();
use JSON::PP ();

use constant {
    HTML => 'text/html; charset=utf-8',
    JSON => 'application/json',
    TEXT => 'text/plain; charset=utf-8',
    PROM => 'text/plain; version=0.0.4; charset=utf-8',
    OPEN => 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    PAST => 'Thu, 01 Jan 1970 00:00:00 GMT',
    KEPT => 'private, max-age=31536000, immutable',
    YEAR => 31_536_000,
};

# long: sent as it is written, without its length; short: gzip leaves it be.
my @data = (
    { path => '', type => HTML, long => 1, varies => 1 },
    { path => '?auto', type => TEXT },
    { path => '/status.json', type => JSON, long => 1 },
    { path => '/metrics', type => PROM, varies => 1 },
    { path => '/metrics.txt', type => TEXT },
    { path => '/discovery.json', type => JSON, short => 1 },
);
my @assets = (
    { path => '/assets/page.css', type => 'text/css; charset=utf-8' },
    { path => '/assets/page.js', type => 'text/javascript; charset=utf-8' },
);

# What clients send, and what they get of the page and of the metrics.
my @accepts = (
    [undef, HTML, PROM],
    ['', HTML, PROM],
    ['*/*', HTML, PROM],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', HTML,
     PROM],
    ['text/html, text/plain, text/sgml, text/css, application/xhtml+xml, '
     . '*/*;q=0.01', HTML, PROM],
    ['application/json', JSON, PROM],
    ['application/json, text/plain, */*', JSON, PROM],
    ['text/html;q=0.2, application/json;q=0.3', JSON, PROM],
    ['text/plain;version=0.0.4;q=1,*/*;q=0.1', PROM, PROM],
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;'
     . 'version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', OPEN,
     OPEN],
    ['application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,'
     . 'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version='
     . '1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,'
     . '*/*;q=0.2', OPEN, OPEN],
    ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;'
     . 'q=0.5,*/*;q=0.1', PROM, PROM],
    ['image/png', HTML, PROM],
    ['*/*;q=0', HTML, PROM],
    [';q=,"/\\', HTML, PROM],
    ['x/y,' x 1900, HTML, PROM],
);

my @kept = qw(Content-Type Vary Cache-Control ETag Content-Encoding
              Content-Security-Policy X-Content-Type-Options Referrer-Policy
              Accept-Ranges Last-Modified Expires Content-Language);

# Compression by each way it can be set, and all that mod_mime can say.
my $config = <<'END';
<Location "/gzip">
    SetHandler manager-status
    Require local
    SetOutputFilter DEFLATE
</Location>
<Location "/br">
    SetHandler manager-status
    Require local
    SetOutputFilter BROTLI_COMPRESS
</Location>
<Location "/bytype">
    SetHandler manager-status
    Require local
    AddOutputFilterByType DEFLATE text/html text/plain text/css \
        application/json text/javascript application/openmetrics-text
</Location>
<Location "/odd">
    SetHandler manager-status
    Require local
    AddDefaultCharset iso-8859-1
    ForceType application/x-odd
    AddType application/x-odd .json .txt .css .js
    AddCharset utf-16 .json .txt .css .js
    AddEncoding x-gzip .json .txt .css .js
    AddLanguage de .json .txt .css .js
    DefaultLanguage fr
    Header merge Vary Cookie
</Location>
<Location "/expires">
    SetHandler manager-status
    Require local
    ExpiresActive On
    ExpiresDefault "access plus 1 hour"
    ExpiresByType text/html "access plus 1 day"
    ExpiresByType text/css "access plus 1 minute"
</Location>
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<LocationMatch "\.shtml$">
    Options +Includes
</LocationMatch>
END

my @filters = qw(deflate brotli filter headers expires include);
my $proxy;

for my $mpm (qw(event prefork)) {
    # Each MPM has the other rule for the tags of what is compressed.
    my $alter = $mpm eq 'event' ? '' : "DeflateAlterETag NoChange\n";
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             name => "content-$mpm", modules => \@filters,
                             config => $config . $alter)->start;
    ok(wait_until(sub { $s->json->{manager}{ticks} > 1 }, 30, 'two ticks'),
       "$mpm: it ticks");
    $proxy = start_proxy($s) if $mpm eq 'event';
    accepted($s, $mpm);
    heads($s, "$mpm: $_", $_) for '/manager-status', '/gzip', '/br', '/bytype';
    data_is_of_now($s, "$mpm: $_", $_) for '/manager-status', '/gzip';
    assets_are_kept($s, $mpm, $mpm eq 'event');
    compressed($s, $mpm);
    odd($s, $mpm);
    expires($s, $mpm);
    included($s, $mpm);
    methods($s, $mpm);
    old_protocol($s, $mpm);
    connections($s, $mpm);
    clients($s, $mpm);
    if ($mpm eq 'event') {
        behind($s, $proxy);
        $proxy->stop_ok;
    }
    $s->stop_ok;
}
on_worker();
done_testing();

# What differs there, and HTTP/2, which would change the others' headers.
sub on_worker {
    my $s = AMGR::Httpd->new(mpm => 'worker', interval => '200ms',
                             name => 'content-worker', modules => ['http2'],
                             config => "Protocols h2c http/1.1\n")->start;
    connections($s, 'worker');
    http2($s);
    $s->stop_ok;
    return;
}

sub accepted {
    my ($s, $mpm) = @_;
    for my $case (@accepts) {
        my ($accept, @want) = @$case;
        my $name = "$mpm: " . (defined $accept ? substr $accept, 0, 60
                                               : 'no Accept');
        my @header = defined $accept ? (Accept => $accept) : ();
        for my $method (qw(GET HEAD)) {
            for my $path ('', '/', '?x=1', '/metrics') {
                my $answer = $s->request($method, "/manager-status$path",
                                         @header);
                is($answer->code, 200, "$name: $method '$path'");
                is($answer->header('Content-Type'),
                   $want[$path eq '/metrics' ? 1 : 0],
                   "$name: $method '$path': its type");
                is($answer->header('Vary'), 'Accept',
                   "$name: $method '$path' depends on it");
            }
        }
        for my $row (grep { !$_->{varies} } @data, @assets) {
            my $answer = $s->get("/manager-status$row->{path}", @header);
            is($answer->header('Content-Type'), $row->{type},
               "$name: $row->{path} has one type");
            is($answer->header('Vary'), undef,
               "$name: $row->{path} does not depend on it");
        }
    }
    # What each type is, not only what it is called.
    my %like = (HTML, qr{\A<!doctype html>.*</html>\s*\z}si,
                JSON, qr/\A\{\s*"schema":1,.*\}\s*\z/s,
                PROM, qr/\A\# .*\n\z/s, OPEN, qr/\A\# .*\n\# EOF\n\z/s);
    for my $type (sort keys %like) {
        my $answer = $s->get('/manager-status', Accept => $type);
        is($answer->header('Content-Type'), $type, "$mpm: asked for $type");
        like($answer->content, $like{$type}, "$mpm: it is $type");
    }
    unlike($s->get('/manager-status', Accept => PROM)->content, qr/^# EOF/m,
           "$mpm: and text 0.0.4 has no end of OpenMetrics");
    # Several headers are one.
    like($s->raw("GET /manager-status HTTP/1.1\r\nHost: x\r\nAccept: text/html"
                 . ";q=0.3\r\nAccept: application/json;q=0.4\r\n"
                 . "Connection: close\r\n\r\n"),
         qr{^Content-Type: application/json\r$}m, "$mpm: two Accept headers");
    return;
}

sub heads {
    my ($s, $name, $base) = @_;
    for my $encoding (undef, 'gzip', 'br', 'gzip;q=0, br;q=0') {
        my @header = defined $encoding ? ('Accept-Encoding' => $encoding) : ();
        for my $row (@data, @assets) {
            my $what = "$name$row->{path}, " . ($encoding // 'no encoding');
            my $get = $s->get("$base$row->{path}", @header);
            my $head = $s->request('HEAD', "$base$row->{path}", @header);
            is($get->code, 200, "GET $what");
            is($head->code, 200, "HEAD $what");
            is($head->content, '', "HEAD $what: no body");
            for my $header (@kept) {
                is($head->header($header), $get->header($header),
                   "HEAD $what: $header as GET");
            }
            same_length($head, $get, $row, $what);
        }
    }
    return;
}

# The length is that of the moment; only an asset's is the same at the next.
sub same_length {
    my ($head, $get, $row, $what) = @_;
    my @length = map { $_->header('Content-Length') } $head, $get;
    is(defined $length[0], defined $length[1], "$what: both tell a length, "
       . 'or none') or diag("@{[map { $_ // 'none' } @length]}");
    if ($row->{long}) {
        is($length[1], undef, "$what: it may be long");
    }
    elsif (!$get->header('Content-Encoding')) {
        is($length[1], length $get->content, "$what: its length");
        cmp_ok(abs($length[0] - $length[1]), '<', 400,
               "$what: near that of HEAD");
    }
    return;
}

# Nothing that would make a cache or a client take an old answer for a new one.
sub data_is_of_now {
    my ($s, $name, $base) = @_;
    my $future = 'Wed, 01 Jan 2098 00:00:00 GMT';
    my @conditions = (
        ['If-None-Match' => '*'], ['If-None-Match' => '"x", W/"y"'],
        ['If-Modified-Since' => $future],
        ['If-Modified-Since' => HTTP::Date::time2str()],
        ['If-None-Match' => '*', 'If-Modified-Since' => $future],
        ['If-Match' => '"x"'], ['If-Unmodified-Since' => $future],
        [Range => 'bytes=0-9'], [Range => 'bytes=0-0,2-3,-5'],
        [Range => 'bytes=99999999-'], [Range => 'bytes=' . '0-,' x 1000],
        [Range => 'bytes=0-9', 'If-Range' => '"x"'], [Range => 'pages=1'],
    );
    for my $row (@data) {
        for my $condition (@conditions) {
            my $what = "$name$row->{path}: " . substr "@$condition", 0, 50;
            my $answer = $s->get("$base$row->{path}", @$condition);
            is($answer->code, 200, $what);
            is($answer->header('Cache-Control'), 'no-store', "$what: not kept");
            is($answer->header('Expires'), PAST, "$what: it is old already");
            is($answer->header($_), undef, "$what: no $_")
                for qw(ETag Last-Modified Content-Range);
            is($answer->header('Accept-Ranges'), 'none', "$what: whole only");
            cmp_ok(length $answer->content, '>', 20, "$what: all of it");
        }
    }
    return;
}

sub assets_are_kept {
    my ($s, $mpm, $is_suffixed) = @_;
    my ($version) = $s->get('/manager-status')->content =~ /page\.js\?v=(\d+)/;
    my $plain = qq("$version");
    my %tag = ('/manager-status' => [$plain, undef],
               '/gzip' => [$is_suffixed ? qq("$version-gzip") : $plain, 'gzip'],
               '/br' => [qq("$version-br"), 'br']);
    for my $base (sort keys %tag) {
        my ($tag, $encoding) = @{ $tag{$base} };
        my @encoding = $encoding ? ('Accept-Encoding' => $encoding) : ();
        for my $row (@assets) {
            my $path = "$base$row->{path}?v=$version";
            my $name = "$mpm: $path";
            my $first = $s->get($path, @encoding);
            is($first->header('ETag'), $tag, "$name: a strong tag");
            is($first->header('Content-Encoding'), $encoding,
               "$name: compressed or not");
            for my $method (qw(GET HEAD)) {
                for my $known ($tag, "W/$tag", qq("x", $tag), '*') {
                    my $again = $s->request($method, $path, @encoding,
                                            'If-None-Match' => $known);
                    my $what = "$name: $method, If-None-Match: $known";
                    is($again->code, 304, $what);
                    is($again->content, '', "$what: nothing is sent");
                    is($again->header('ETag'), $known eq '*' ? $plain : $tag,
                       "$what: its tag");
                    is($again->header('Cache-Control'), KEPT,
                       "$what: for how long");
                }
            }
            for my $other ('"x"', qq("$version-x"), $version, '""', '"*"', ',',
                           qq("x$version")) {
                is($s->get($path, @encoding, 'If-None-Match' => $other)->code,
                   200, "$name: $other is another");
            }
            is($s->get($path, 'If-Modified-Since' => HTTP::Date::time2str())
               ->code, 200, "$name: there is no time to go by");
            for my $case ([200, $tag], [200, '*'], [200, qq("x", $tag)],
                          [412, '"x"'], [412, "W/$tag"], [412, '']) {
                my ($code, $wanted) = @$case;
                my $answer = $s->get($path, @encoding, 'If-Match' => $wanted);
                is($answer->code, $code, "$name: If-Match: $wanted");
                is($s->get($path, @encoding, 'If-Match' => $wanted,
                           'If-None-Match' => $tag)->code,
                   $code == 200 ? 304 : $code,
                   "$name: If-Match: $wanted, and it is known");
            }
        }
    }
    my $path = "/manager-status$assets[0]{path}?v=$version";
    my $whole = $s->get($path)->content;
    for my $range ('bytes=2-11', 'bytes=0-0,3-4', 'bytes=99999999-') {
        my $answer = $s->get($path, Range => $range);
        is($answer->code, 200, "$mpm: $range of an asset");
        is($answer->content, $whole, "$mpm: $range: all of it");
    }
    return;
}

# Two answers of different moments with the same words.
sub words {
    my ($text, $type) = @_;
    if ($type eq JSON) {
        my $json = eval { JSON::PP->new->utf8->decode($text) } or return $@;
        return join ' ', sort keys %$json;
    }
    if ($type eq HTML) {
        return join ' ', $text =~ m{(<!doctype html>|<h2[^>]*>|</html>)}gi;
    }
    $text =~ s/-?[\d.]+(?:e[-+]?\d+)?/0/g;
    $text =~ s/^(?:CurrentTime|ServerUptime|Scoreboard):.*//gm;
    return $text;
}

sub vary {
    my ($answer) = @_;
    return join ' ', sort split /, */, $answer->header('Vary') // '';
}

sub compressed {
    my ($s, $mpm) = @_;
    for my $row (@data, @assets) {
        my $plain = $s->get("/manager-status$row->{path}")->content;
        for my $case (['/gzip', 'gzip'], ['/bytype', 'gzip'], ['/br', 'br']) {
            my ($base, $encoding) = @$case;
            my $name = "$mpm: $base$row->{path}";
            my $answer = $s->get("$base$row->{path}",
                                 'Accept-Encoding' => $encoding);
            my $is_done = $encoding eq 'br' || !$row->{short};
            is($answer->header('Content-Encoding'),
               $is_done ? $encoding : undef, "$name is compressed");
            is(vary($answer), join(' ', $row->{varies} ? 'Accept' : (),
                                   $is_done ? 'Accept-Encoding' : ()),
               "$name: Vary is complete");
            is($answer->header('Content-Type'), $row->{type},
               "$name: its type stays");
            my $text = curl($s, "$base$row->{path}", '--compressed', '-H',
                            "Accept-Encoding: $encoding");
            is(words($text, $row->{type}) =~ s{\Q$base\E/}{/}gr,
               words($plain, $row->{type}) =~ s{/manager-status/}{/}gr,
               "$name is the same");
            if ($is_done && $encoding eq 'gzip') {
                my $bytes = $answer->content;
                my $out = '';
                ok(IO::Uncompress::Gunzip::gunzip(\$bytes, \$out)
                   && length $out, "$name: whole gzip");
            }
            is($s->get("$base$row->{path}")->header('Content-Encoding'), undef,
               "$name: not for who does not ask");
        }
    }
    return;
}

sub curl {
    my ($s, $path, @args) = @_;
    open my $out, '-|', 'curl', '-sS', '--max-time', 20, '--noproxy', '*',
        @args, $s->url($path) or die "curl: $!\n";
    binmode $out;
    local $/;
    my $text = <$out>;
    close $out;
    return $text // '';
}

sub odd {
    my ($s, $mpm) = @_;
    for my $row (@data, @assets) {
        my $name = "$mpm: /odd$row->{path}";
        my $answer = $s->get("/odd$row->{path}");
        is($answer->code, 200, $name);
        is($answer->header('Content-Type'), $row->{type}, "$name: its type");
        is($answer->header($_), undef, "$name: no $_")
            for qw(Content-Encoding Content-Language);
        is(vary($answer), $row->{varies} ? 'Accept Cookie' : 'Cookie',
           "$name: what others add to Vary stays");
    }
    return;
}

# mod_expires has nothing to add.
sub expires {
    my ($s, $mpm) = @_;
    my ($version) = $s->get('/expires')->content =~ /page\.js\?v=(\d+)/;
    for my $row (@data, @assets) {
        for my $method (qw(GET HEAD)) {
            my $answer = $s->request($method, "/expires$row->{path}");
            my $name = "$mpm: $method /expires$row->{path}";
            is($answer->code, 200, $name);
            is(join('; ', $answer->header('Cache-Control')), 'no-store',
               "$name: not kept");
            is(join('; ', $answer->header('Expires')), PAST,
               "$name: it is old already");
        }
    }
    for my $row (@assets) {
        for my $base ('/expires', '/manager-status') {
            my $path = "$base$row->{path}?v=$version";
            for my $known ('"x"', qq("$version")) {
                my $answer = $s->get($path, 'If-None-Match' => $known);
                my $name = "$mpm: $path, " . $answer->code;
                is(join('; ', $answer->header('Cache-Control')), KEPT,
                   "$name: kept");
                my $until = HTTP::Date::str2time($answer->header('Expires'))
                    // 0;
                cmp_ok(abs($until - time - YEAR), '<', 30, "$name: for a year");
            }
        }
    }
    return;
}

# A page that includes an answer has the first format of it, all of it,
# whatever the client says of the page.
sub included {
    my ($s, $mpm) = @_;
    my ($version) = $s->get('/manager-status')->content =~ /page\.js\?v=(\d+)/;
    my %like = (
        '/manager-status'         => qr{\A\[<!doctype html>.*</html>\s*\]\z}si,
        '/manager-status?auto'    => qr/\A\[\S+\nServerVer.*^Sc\S+ \S+\n\]\z/sm,
        '/manager-status/metrics' => qr/\A\[# (?!.*# EOF).*\n\]\z/s,
        '/manager-status/status.json' => qr/\A\[\{\s*"schema":1,.*\}\s*\]\z/s,
        "/manager-status/assets/page.css?v=$version" => qr/\A\[.*\{.*\}\s*\]\z/s,
        '/gzip/metrics.txt'       => qr/\A\[# Global .*\n\]\z/s,
    );
    my @says = ([Accept => JSON], [Accept => OPEN], ['If-None-Match' => '*'],
                ['If-None-Match' => qq("$version")], ['If-Match' => '"x"'],
                ['Accept-Encoding' => 'gzip'], []);
    for my $path (sort keys %like) {
        $s->write('htdocs/in.shtml', qq([<!--#include virtual="$path" -->]));
        for my $says (@says) {
            my $name = "$mpm: $path included, @$says";
            my $answer = $s->get('/in.shtml', @$says);
            is($answer->code, 200, $name);
            like($answer->content, $like{$path}, "$name: all of it");
            is($answer->header($_), undef, "$name: no $_ of ours")
                for 'Vary', 'ETag', 'Expires', 'Content-Security-Policy';
        }
        # The page's own range is its own affair.
        my $got = $s->get('/in.shtml', Range => 'bytes=0-4');
        like($got->content, $got->code == 206 ? qr/\A.{5}\z/s : $like{$path},
             "$mpm: $path included: its range");
    }
    # Nor is its connection ended.
    $s->write('htdocs/in.shtml', '[<!--#include virtual="/manager-status" -->]');
    is(answers_over_one($s, '/in.shtml'), 2, "$mpm: included: connections wait");
    return;
}

# How many of two requests over one connection are answered.
sub answers_over_one {
    my ($s, $path, $method) = @_;
    my $line = sprintf "%s $path HTTP/1.1\r\nHost: x\r\n", $method // 'GET';
    my $bytes = $s->raw("$line\r\n${line}Connection: close\r\n\r\n");
    return scalar(() = $bytes =~ m{^HTTP/1\.1 200 }mg);
}

# A reader that waits between two pages must not hold a worker.
sub connections {
    my ($s, $mpm) = @_;
    for my $row (@data, @assets) {
        my $ends = $row->{path} eq '' && $mpm ne 'event';
        for my $method (qw(GET HEAD)) {
            is(answers_over_one($s, "/manager-status$row->{path}", $method),
               $ends ? 1 : 2, "$mpm: connections of $method '$row->{path}' "
               . ($ends ? 'end' : 'wait'));
        }
        next unless $ends;
        my $bytes = $s->raw("GET /manager-status$row->{path} HTTP/1.1\r\n"
                            . "Host: x\r\n\r\n");
        like($bytes, qr/^Connection: close\r$/m, "$mpm: it says so");
        like($bytes, qr/^Transfer-Encoding: chunked\r$/m,
             "$mpm: and where it is cut off that can be told");
    }
    return;
}

sub http2 {
    my ($s) = @_;
    for my $row (@data, @assets) {
        for my $head ([], ['-I']) {
            my $text = curl($s, "/manager-status$row->{path}",
                            '--http2-prior-knowledge', '-w',
                            "\n%{http_version} %{http_code} %{content_type}\n",
                            @$head);
            my $name = "HTTP/2: '$row->{path}' @$head";
            is($?, 0, "$name ends well");
            like($text, qr/\n2 200 \Q$row->{type}\E\n\z/, $name);
            next if @$head;
            my $whole = words($s->get("/manager-status$row->{path}")->content,
                              $row->{type});
            is(words($text =~ s/\n2 200 .*\n\z//r, $row->{type}), $whole,
               "$name is the same");
        }
    }
    return;
}

sub methods {
    my ($s, $mpm) = @_;
    for my $row (@data, @assets) {
        for my $method (qw(POST PUT DELETE PATCH OPTIONS PROPFIND FOO)) {
            my $answer = $s->request($method, "/manager-status$row->{path}");
            my $name = "$mpm: $method '$row->{path}'";
            is($answer->code, 405, $name);
            is(join(' ', sort split /[ ,]+/, $answer->header('Allow') // ''),
               'GET HEAD', "$name: what is allowed");
        }
    }
    for my $path (qw(/nope /assets /assets/ /metrics/ /metrics/x /metrics.prom
                     /status.json/ /auto /%3fauto //metrics/.. /METRICS)) {
        for my $accept ('*/*', JSON, OPEN) {
            is($s->get("/manager-status$path", Accept => $accept)->code,
               $path =~ /\.\.$/ ? 200 : 404, "$mpm: $path for $accept");
        }
    }
    return;
}

# HTTP/1.0 has no chunks: the end of the connection ends the answer, unless its
# length is told.
sub old_protocol {
    my ($s, $mpm) = @_;
    for my $row (@data, @assets) {
        my $name = "$mpm: HTTP/1.0 '$row->{path}'";
        my $bytes = $s->raw("GET /manager-status$row->{path} HTTP/1.0\r\n\r\n");
        my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
        like($head, qr{\AHTTP/1\.1 200 }, $name);
        unlike($head, qr/^Transfer-Encoding:/mi, "$name: no chunks");
        is(words($body, $row->{type}),
           words($s->get("/manager-status$row->{path}")->content,
                 $row->{type}), "$name: the same");
        next if $row->{long};
        like($head, qr/^Content-Length: @{[length $body]}\r?$/mi,
             "$name: its length");
        my $line = "GET /manager-status$row->{path} HTTP/1.0\r\n";
        my $twice = $s->raw("${line}Connection: keep-alive\r\n\r\n$line\r\n");
        is(scalar(() = $twice =~ m{^HTTP/1\.1 200 }mg), 2,
           "$name: two over one connection");
    }
    return;
}

# Those that a person has at hand get the page.
sub clients {
    my ($s, $mpm) = @_;
    my $url = $s->url('/manager-status');
    my @start = qw(env -u http_proxy -u HTTP_PROXY);
    my %says = (
        curl => [@start, qw(curl -sS -D -), $url],
        wget => [@start, qw(wget -q -S -O -), $url],
        lynx => [@start, qw(lynx -mime_header), $url],
    );
    for my $name (sort keys %says) {
        open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh',
            @{ $says{$name} } or die "$name: $!\n";
        my $text = do { local $/; <$out> };
        close $out;
        like($text, qr{^\s*Content-Type: \Q@{[HTML]}\E\r?$}mi,
             "$mpm: $name gets HTML");
        like($text, qr{</html>}, "$mpm: $name gets all of it");
    }
    return;
}

# Another httpd in front: passes on, compresses, and keeps what it may.
sub start_proxy {
    my ($s) = @_;
    my $front = AMGR::Httpd->new(
        mpm => 'event', name => 'content-front', manager => 0, location => 0,
        modules => [qw(proxy proxy_http cache cache_socache socache_shmcb
                       cache_disk deflate filter headers)],
        config => '');
    mkdir $front->path('work/cache') or die "cache: $!\n";
    chmod 0777, $front->path('work/cache');
    my $back = $s->url('/manager-status');
    my $file = $s->url('/index.html');
    $front->set_config(<<"END");
CacheHeader On
CacheQuickHandler On
CacheSocache "shmcb:@{[$front->runtime_file('cache')]}(512000)"
CacheEnable socache "/manager-status"
CacheEnable disk "/disk"
CacheRoot "@{[$front->path('work/cache')]}"
CacheDefaultExpire 3600
CacheIgnoreNoLastMod On
CacheMaxExpire 3600
ProxyPass "/manager-status" "$back"
ProxyPass "/disk" "$back"
CacheEnable socache "/file"
CacheEnable disk "/other-file"
ProxyPass "/file" "$file"
ProxyPass "/other-file" "$file"
<Location "/">
    Require local
    SetOutputFilter DEFLATE
</Location>
END
    return $front->start;
}

sub behind {
    my ($s, $front) = @_;
    # These caches do keep what may be kept.
    for my $path ('/file', '/other-file') {
        ok(wait_until(sub {
            ($front->get($path)->header('X-Cache') // '') =~ /HIT/;
        }, 30, "a hit of $path"), "behind: $path is kept");
    }
    for my $base ('/manager-status', '/disk') {
        for my $row (@data, @assets) {
            my $name = "behind $base$row->{path}";
            for my $time (1, 2) {
                my $answer = $front->get("$base$row->{path}");
                is($answer->code, 200, "$name, time $time");
                is($answer->header('Content-Type'), $row->{type},
                   "$name, time $time: its type");
                is(words($answer->content, $row->{type}),
                   words($s->get("/manager-status$row->{path}")->content,
                         $row->{type}), "$name, time $time: the same");
                unlike($answer->header('X-Cache') // '', qr/HIT|REVALIDATE/,
                       "$name, time $time: it was not kept");
                is($answer->header('Cache-Control'), 'no-store',
                   "$name, time $time: nor shall it be");
            }
            is($front->request('HEAD', "$base$row->{path}")
               ->header('Content-Type'), $row->{type}, "HEAD $name");
            is($front->request('POST', "$base$row->{path}")->code, 405,
               "POST $name");
            is($front->get("$base$row->{path}", 'Accept-Encoding' => 'gzip')
               ->header('Content-Encoding'), $row->{short} ? undef : 'gzip',
               "$name: compressed");
        }
    }
    for my $case (@accepts) {
        my ($accept, @want) = @$case;
        next unless defined $accept && length $accept < 1000;
        is($front->get('/manager-status', Accept => $accept)
           ->header('Content-Type'), $want[0], "behind: $accept");
    }
    my ($path) = $front->get('/manager-status')->content
        =~ /"([^"]*page\.js\?v=\d+)"/;
    my $tag = $front->get($path, 'Accept-Encoding' => 'gzip')->header('ETag');
    is($front->get($path, 'Accept-Encoding' => 'gzip',
                   'If-None-Match' => $tag)->code, 304,
       "behind: $tag is known");
    return;
}
