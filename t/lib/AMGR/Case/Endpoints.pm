# SPDX-License-Identifier: Apache-2.0
#
# The pages of one server: status codes, methods, headers, forms, and that
# hostile request lines leave every one of them well-formed.
package AMGR::Case::Endpoints;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use Encode ();
use HTML::Parser ();
use JSON::PP ();

my %page = (
    '/manager-status'             => 'text/html; charset=utf-8',
    '/manager-status/status.json' => 'application/json',
    '/manager-status/metrics.txt' => 'text/plain; charset=utf-8',
    '/manager-status/metrics'     => 'text/plain; version=0.0.4; charset=utf-8',
    '/manager-status/discovery.json' => 'application/json',
    '/manager-status/processes'   => 'application/json',
    '/manager-status/ready'       => 'application/json',
);
# What else one of them answers to, if not here: no order is taken.
my %order = ('DELETE /manager-status/processes' => 403);

my %asset = (
    '/manager-status/assets/page.css' => 'text/css; charset=utf-8',
    '/manager-status/assets/page.js'  => 'text/javascript; charset=utf-8',
);
use constant KEPT => 'private, max-age=31536000, immutable';

# Request lines as an attacker would send them; %s is the path.
my @hostile = (
    qq(GET %s/<blink>bold"x&y'z HTTP/1.1),
    qq(GET %s/</script><script>alert(1)</script> HTTP/1.1),
    qq(GET %s/"},{"pid":1 HTTP/1.1),
    qq(GET %s/\xe2\x82\xac\xff\x80\xc0\xaf\xed\xa0\x80 HTTP/1.1),
    qq(GET %s/\xf0\x9f\x98 HTTP/1.1),
    qq(GET %s/a\tb HTTP/1.1),
    qq(GET %s/\e[31mred\e[0m HTTP/1.1),
    qq(GET %s/\x01\x02\x7f HTTP/1.1),
    qq(GET %s/%%0a%%0dInjected:%%20yes HTTP/1.1),
    qq(GET %s/\\u0000\\x41\\" HTTP/1.1),
    'GET %s/' . 'x' x 62 . qq(\xe2\x82\xac HTTP/1.1),
    'GET %s/' . 'A' x 65536 . ' HTTP/1.1',
    'GET %s?token=secret&x=<blink> HTTP/1.1',
    '<svg/onload=alert(1)> %s HTTP/1.1',
);

sub run {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             config => "ManagerShowRequests Full\n")->start;
    # AH00135 and its like: what the hostile lines are answered with.
    $s->expect_log(qr/\[core:error\].*AH00(?:135|126|036|565|566)/,
                   qr/AH10244|AH02430|AH00127/, qr/AMGR0045: /);
    ok(wait_until(sub { $s->json->{manager}{ticks} > 1 }, 30, 'two ticks'),
       'it ticks');
    codes($s);
    methods($s);
    connections($s, $mpm);
    queries($s);
    status_json($s, $mpm);
    metrics_txt($s);
    assets($s);
    hostile($s);
    shown($s);
    $s->stop_ok;
    done_testing();
    return;
}

sub codes {
    my ($s) = @_;
    for my $path (sort keys %page) {
        my $answer = $s->get($path);
        is($answer->code, 200, "$path is there");
        is($answer->header('Content-Type'), $page{$path}, "$path: its type");
        headers_ok($answer, $path);
    }
    for my $path (qw(nope status.jsonx status.json/x metrics.txt/x assets
                     assets/ assets/nope metrics/x
                     processes/ processes/web processes/web/
                     processes/web/kill processes/web/restart/
                     processes//restart processes/a/b/restart ready/
                     status nope/status.json STATUS.JSON)) {
        my $answer = $s->get("/manager-status/$path");
        is($answer->code, 404, "/manager-status/$path is not there");
    }
    is($s->get('/manager-statusx')->code, 404, 'the name ends there');
    return;
}

sub headers_ok {
    my ($answer, $path, $kept) = @_;
    my $csp = $answer->header('Content-Security-Policy') // '';
    like($csp, qr/default-src 'none'/, "$path: CSP allows nothing by default");
    unlike($csp, qr/unsafe|\*|https?:/, "$path: CSP has no exception");
    like($csp, qr/frame-ancestors 'none'/, "$path: nobody frames it");
    like($csp, qr/script-src 'self'; style-src 'self'; /,
         "$path: CSP allows our own files");
    is($answer->header('Cache-Control'), $kept // 'no-store',
       "$path: how long it is kept");
    is($answer->header('X-Content-Type-Options'), 'nosniff',
       "$path is not guessed at");
    return;
}

sub methods {
    my ($s) = @_;
    for my $path (sort keys %page) {
        my $head = $s->request('HEAD', $path);
        is($head->code, 200, "HEAD $path");
        is($head->content, '', "HEAD $path has no body");
        is($head->header('Content-Type'), $page{$path}, "HEAD $path: type");
        is($s->request('TRACE', $path)->code, 405, "TRACE $path");
        for my $method (qw(POST PUT DELETE PATCH OPTIONS FOO)) {
            my $answer = $s->request($method, $path);
            is($answer->code, $order{"$method $path"} // 405, "$method $path");
            next if $order{"$method $path"};
            my %allow = map { $_ => 1 }
                split /[ ,]+/, $answer->header('Allow') // '';
            ok($allow{GET} && $allow{HEAD}, "$method $path: Allow names GET "
               . 'and HEAD') or diag($answer->header('Allow') // 'no Allow');
            ok(!$allow{$method}, "$method $path: Allow does not name it");
        }
    }
    return;
}

# A page that is kept up to date holds no worker between two answers.
sub connections {
    my ($s, $mpm) = @_;
    my %closes;
    for my $path ('', '/status.json') {
        my $first = $s->raw("GET /manager-status$path HTTP/1.1\r\n"
                            . "Host: localhost\r\n\r\n");
        $closes{$path} = $first =~ /^Connection: close\r$/mi;
    }
    is($closes{''}, $mpm eq 'event' ? '' : 1,
       'the page ends its connection where that would keep a worker');
    ok(!$closes{'/status.json'}, 'what programs read keeps its connection');
    return;
}

sub queries {
    my ($s) = @_;
    for my $query ('?', '?x', '?unknown=1', '?xauto', '?a=%00', '?%ff',
                   '?' . 'x=y&' x 1500, '?refresh', '?refresh=', '?refresh=x',
                   '?refresh=-1', '?refresh=99999999999999999999',
                   '?refresh=5"><blink>', '?xrefresh=5',
                   '?filter="><blink>&workers=pid', "?filter='onload=x",
                   '?filter=%22%3e%3cblink%3e', '?filter=%00%ff%c3%28%0d%0a',
                   '?filter=%', '?filter=%zz&filter=x', '?workers="><blink>',
                   '?workers=-' . 'x' x 100, '?processes=%3cblink%3e',
                   '?history=<blink>', '?filter=' . '%22' x 1000) {
        my $answer = $s->get("/manager-status$query");
        my $name = length $query > 40 ? substr($query, 0, 40) . '...' : $query;
        is($answer->code, 200, "$name is answered");
        html_ok($answer->content, "$name: the page");
        my $refresh = $answer->header('Refresh');
        like($refresh // '1', qr/^[1-9]\d{0,3}$/, "$name: no odd refresh");
    }
    is($s->get('/manager-status?xrefresh=5')->header('Refresh'), undef,
       'another name does not refresh');
    is($s->get('/manager-status')->header('Refresh'), undef,
       'no refresh without a wish');
    # Only where no script does it: as a header it would reload the page under
    # the script.
    for my $query ('?refresh=5', '?x=1&refresh=5', '?refresh=5&x') {
        my $text = $s->get("/manager-status$query")->content;
        like($text, qr{<noscript><meta\ http-equiv="refresh"\ content="5">
                       </noscript>\n.*</head>}sx, "$query refreshes");
        like($text, qr/<body data-refresh="5"/, "$query: so does the script");
        unlike($s->raw("GET /manager-status$query HTTP/1.0\r\n"
                       . "Host: 127.0.0.1\r\n\r\n"),
               qr/^Refresh:/mi, "$query: not by a header");
    }
    is($s->get('/manager-status/status.json?x=1')->code, 200,
       'status.json?x=1');
    return;
}

sub status_json {
    my ($s, $mpm) = @_;
    my $text = $s->get('/manager-status/status.json')->content;
    is_deeply([schema_errors($text)], [], 'status.json obeys its schema');
    my $json = JSON::PP->new->utf8->decode($text);
    is($json->{schema}, 1, 'schema 1');
    is($json->{server}{mpm}, $mpm, "mpm $mpm");
    like($json->{server}{version}, qr{^Apache/2\.4\.}, 'version');
    cmp_ok(abs($json->{time} - time), '<', 10, 'time is now');
    cmp_ok($json->{time} - $json->{tick_time}, '<', 10, 'the tick was now');
    is($json->{limits}{interval_seconds}, 0.2, 'the interval');
    is($json->{limits}{max_memory_idle_bytes}, undef, 'no limit is null');
    is_deeply($json->{kills}, [], 'nobody was killed');

    my %real = map { $_ => 1 } $s->children;
    my @native = grep { $_->{kind} eq 'native' } @{ $json->{processes} };
    cmp_ok(scalar @native, '>=', 2, 'native processes');
    for my $process (@{ $json->{processes} }) {
        my $pid = $process->{pid};
        ok($real{$pid}, "$pid is a child of the parent");
        cmp_ok(abs($process->{rss_bytes} - rss($pid)), '<', 4 << 20,
               "$pid: its memory");
    }
    my $max = $json->{server}{max_workers};
    is($max, $mpm eq 'prefork' ? 10 : 16, 'max_workers is MaxRequestWorkers');
    my @ticker = $s->ticker_pid;
    is(scalar @ticker, 1, 'one ticker');
    my ($shown) = grep { $_->{pid} == $ticker[0] } @{ $json->{processes} };
    is($shown && $shown->{kind}, 'foreign', 'the ticker is a foreign process');
    my $slots = () = map { @{ $_->{slots} } } @native;
    is($slots, @native * ($mpm eq 'prefork' ? 1 : 4), 'slots of each process');
    # Groups are the last tick's; a process may have come since.
    ok(wait_until(sub {
        my $now = $s->json;
        my ($group) = grep { $_->{name} eq 'native' } @{ $now->{groups} };
        $group->{count} == grep { $_->{kind} eq 'native' }
            @{ $now->{processes} };
    }, 30, 'the group of all natives'), 'the group counts them');
    return;
}

sub rss {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/statm" or return 0;
    return (split ' ', scalar <$fh>)[1] * 4096;
}

my @global = qw(busy-workers bytes-per-request bytes-per-second cpu-load
                idle-workers requests-per-second total-accesses total-traffic
                uptime);
my @internal = qw(foreign-worker-count native-worker-count status-response
                  workers-hanging workers-killed-active workers-killed-idle);
my %is_float = map { $_ => 1 } qw(bytes-per-request bytes-per-second cpu-load
                                  requests-per-second);

sub metrics_txt {
    my ($s) = @_;
    ok(wait_until(sub { -s $s->data_file }, 30, 'the data file'),
       'the data file is there');
    form_ok($s->get('/manager-status/metrics.txt')->content, 'metrics.txt');
    open my $fh, '<:raw', $s->data_file or die $s->data_file . ": $!\n";
    local $/;
    form_ok(scalar <$fh>, 'the data file');
    return;
}

sub form_ok {
    my ($text, $what) = @_;
    my $int = qr/\d+/;
    my $float = qr/\d+\.\d+/;
    my $want = "# Global Apache server metrics\\.\n"
        . join('', map { "$_\t" . ($is_float{$_} ? $float : $int) . "\n" }
               @global)
        . "\n# Metrics internal to apache-manager\\.\n"
        . join('', map { "$_\t$int\n" } @internal)
        . "\n# Memory usage of native Apache worker processes\\.\n"
        . join('', map { "memory-usage\tnative\t$_\t$int\n" }
               qw(count min max))
        . "memory-usage\tnative\taverage\t$float\n"
        . "memory-usage\tnative\tmedian\t(?:$int|$float)\n";
    like($text, qr/\A$want\z/, "$what has its form, byte by byte");
    like($text, qr/^status-response\t0$/m, "$what: all was collected");
    return;
}

sub assets {
    my ($s) = @_;
    my $page = $s->get('/manager-status')->content;
    my @links = $page =~ /(?:href|src)="([^"]*)"/g;
    my @assets = grep { m{assets/} } @links;
    is_deeply([sort map { s/\?v=\d+\z//r } @assets], [sort keys %asset],
              'the page has its assets, by their version');
    for my $path (@assets) {
        my ($plain) = split /\?/, $path;
        my $answer = $s->get($path);
        is($answer->code, 200, "$path is there");
        is($answer->header('Content-Type'), $asset{$plain}, "$path: its type");
        headers_ok($answer, $path, KEPT);
        is($s->request('POST', $path)->code, 405, "POST $path");
        my $head = $s->request('HEAD', $path);
        is($head->content, '', "HEAD $path has no body");
        headers_ok($head, "HEAD $path", KEPT);
        is($head->header('Content-Length'), length $answer->content,
           "HEAD $path: its length");
        # Of another version than the page that named it, or of none.
        headers_ok($s->get($_), $_)
            for $plain, "$plain?", "$plain?v=1", "$path&x", "$plain?x&v=1";
    }
    is_deeply([grep { m{^(?:https?:)?//} } @links], [],
              'nothing is loaded from elsewhere');
    unlike($page, qr/<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)/i,
           'nothing inline');
    return;
}

# What an element may not have if it is ours: code, style, a place elsewhere.
sub odd_attributes {
    my ($tag, $attr) = @_;
    return map { "<$tag> has $_" } grep {
        /^on|^style$|[^a-z0-9:-]/
            || (/^(?:href|src|action)$/
                && $attr->{$_} !~ m{^(?:/(?!/)|\?|\#|data:[,i]|$)})
    } grep { $_ ne q{/} } sort keys %$attr;
}

# Elements are closed in the order they were opened, and none is foreign: a
# picture has its size, and no element runs anything.
sub html_ok {
    my ($html, $what) = @_;
    my (@open, @wrong);
    my %void = map { $_ => 1 } qw(meta link br hr img input col wbr);
    my %foreign = map { $_ => 1 } qw(blink iframe object embed base);
    my $parser = HTML::Parser->new(
        api_version => 3,
        start_h => [sub {
            my ($tag, $attr) = @_;
            push @wrong, "<$tag>" if $foreign{$tag};
            push @wrong, '<script> without src'
                if $tag eq 'script' && !$attr->{src};
            push @wrong, odd_attributes($tag, $attr);
            push @wrong, "<$tag> without size"
                if $tag eq 'svg' && !$attr->{viewbox};
            # Within a picture an element may end where it begins.
            push @open, $tag unless $void{$tag} || $attr->{'/'};
        }, 'tagname, attr'],
        end_h => [sub {
            my ($tag) = @_;
            my $top = pop @open // 'nothing';
            push @wrong, "</$tag> closes <$top>" if $tag ne $top;
        }, 'tagname'],
    );
    $parser->utf8_mode(1);
    $parser->parse($html);
    $parser->eof;
    push @wrong, "<$_> stays open" for @open;
    push @wrong, 'it is not UTF-8' unless is_utf8($html);
    push @wrong, 'control characters' if $html =~ /[\x00-\x08\x0b-\x1f\x7f]/;
    push @wrong, 'no doctype' unless $html =~ /\A\s*<!doctype html>/i;
    is(join("\n", @wrong), '', "$what is well-formed");
    return;
}

sub is_utf8 {
    my ($bytes) = @_;
    return defined eval { Encode::decode('UTF-8', $bytes, Encode::FB_CROAK) };
}

sub hostile {
    my ($s) = @_;
    for my $line (@hostile) {
        (my $first = $line) =~ s/%s/\/there/;
        $first =~ s/%%/%/g;
        $s->raw("$first\r\nHost: 127.0.0.1\r\nReferer: \"<blink>\r\n"
                . "Connection: close\r\n\r\n");
        (my $shown = substr $first, 0, 40) =~ s/[^ -~]/?/g;
        all_ok($s, $shown);
    }
    # And while they run: a body that does not come keeps the slot busy.
    my @held = map {
        (my $first = $_) =~ s/%s/\//;
        $first =~ s/%%/%/g;
        AMGR::Request->new($s->port, $first =~ s/^GET/POST/r
            . "\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n1");
    } @hostile[0 .. 2];
    all_ok($s, 'while they run');
    $_->close_now for @held;
    is($s->get('/')->code, 200, 'it serves as before');
    return;
}

sub all_ok {
    my ($s, $what) = @_;
    html_ok($s->get('/manager-status')->content, "$what: the page");
    my $text = $s->get('/manager-status/status.json')->content;
    ok(is_utf8($text), "$what: status.json is UTF-8");
    my $json = eval { JSON::PP->new->utf8->decode($text) };
    ok($json && $json->{schema} == 1, "$what: status.json is JSON")
        or diag($@);
    unlike($text, qr/[<>]/, "$what: status.json has no markup");
    form_ok($s->get('/manager-status/metrics.txt')->content,
            "$what: metrics.txt");
    return;
}

# How much of a request line is shown.
sub shown {
    my ($s) = @_;
    my %want = (Full => [qr/token=secret/, qr/visible/],
                Path => [undef, qr/visible/], Off => [undef, undef]);
    for my $mode (sort keys %want) {
        $s->set_config("ManagerShowRequests $mode\n");
        $s->restart or return fail("restart for ManagerShowRequests $mode");
        for my $path (qw(/manager-status /manager-status/status.json)) {
            my $text = '';
            # The page itself may take the slot that served the request.
            wait_until(sub {
                $s->get('/visible?token=secret') for 1 .. 3;
                $text .= $s->get($path)->content;
                my @seen = grep { defined } @{ $want{$mode} };
                !grep { $text !~ $_ } @seen;
            }, 30, "the request on $path");
            my ($query, $name) = @{ $want{$mode} };
            is(scalar($text =~ /token=secret/), $query ? 1 : '',
               "$mode: the query on $path");
            is(scalar($text =~ /visible/), $name ? 1 : '',
               "$mode: the path on $path");
        }
    }
    return;
}

1;
