#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Servers that answer wrongly, slowly, without end or not at all: the tool says
# so in one line, in time, with the right exit code, and writes no file.  And
# servers with mod_status alone, which it reads all the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use File::Temp ();
use IO::Compress::Gzip ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes qw(sleep time);

my $golden = AMGR::Httpd::slurp('t/unit/golden/prefork.json');
my $dir = File::Temp->newdir;
my $me = $$;
my @pids; # each leads a group of its own

END {
    if (defined $me && $$ == $me) {
        my $code = $?;
        kill 'KILL', map { -$_ } @pids;
        waitpid $_, 0 for @pids;
        $? = $code;
    }
}

# ---- a server that answers by the first part of the path ---------------------

sub body {
    my ($status, $body, @headers) = @_;
    return join("\r\n", "HTTP/1.1 $status", 'Connection: close',
                'Content-Length: ' . length $body, @headers, '', $body);
}

my %answers = (
    403       => sub { print { $_[0] } body('403 Forbidden', 'no') },
    401       => sub { print { $_[0] } body('401 Unauthorized', 'no') },
    404       => sub { print { $_[0] } body('404 Not Found', 'no') },
    500       => sub { print { $_[0] } body('500 Internal Server Error', '') },
    503       => sub { print { $_[0] } body('503 Mine', '') },
    302       => sub { print { $_[0] } body('302 Found', '',
                           'Location: http://u:secret@192.0.2.1/x') },
    loop      => sub { print { $_[0] } body('301 Moved', '',
                           'Location: /loop/status.json') },
    moved     => sub { print { $_[0] } body('302 Found', 'go there',
                           'Location: /log in?a=b') },
    early_hints => sub { print { $_[0] } "HTTP/1.1 103 Early Hints\r\n"
                           . "Location: /not/here\r\n\r\n",
                           body('204 No Content', '') },
    garbage   => sub { print { $_[0] } "\x00\xff\x1b[2Jgarbage\r\n\r\n" },
    nothing   => sub { },
    html      => sub { print { $_[0] } body('200 OK', '<html>It works!</html>',
                           'Content-Type: text/html') },
    empty     => sub { print { $_[0] } body('200 OK', '') },
    cut       => sub { print { $_[0] } body('200 OK',
                           substr $golden, 0, length($golden) / 2) },
    schema    => sub { print { $_[0] } body('200 OK', '{"schema":2}') },
    nul       => sub { print { $_[0] } body('200 OK', "\0" x 4096) },
    control   => sub { print { $_[0] } body('200 OK', "{\"\x1b[2J\n\": }") },
    early     => sub { print { $_[0] } "HTTP/1.1 200 OK\r\nContent-Length: "
                           . "5000\r\n\r\n{\"schema\":1," },
    chunked   => sub { print { $_[0] } "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                           . "chunked\r\n\r\nzz\r\nxx\r\n" },
    chunk_cut => sub { print { $_[0] } "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                           . "chunked\r\n\r\n5\r\n{\"sch\r\n" },
    gzip      => sub {
        my $packed;
        IO::Compress::Gzip::gzip(\$golden => \$packed);
        print { $_[0] } body('200 OK', $packed, 'Content-Encoding: gzip');
    },
    headers   => sub { print { $_[0] } "HTTP/1.1 200 OK\r\n",
                           map { "X-$_: " . 'x' x 900 . "\r\n" } 1 .. 200 },
    lies      => sub { print { $_[0] } body('200 OK', $golden,
                           'Content-Type: image/png') },
    big       => sub { pour($_[0], "Content-Length: 100000000\r\n") },
    endless   => sub { pour($_[0], '') },
    silent    => sub { sleep 60 },
    slow      => sub {
        my $out = shift;
        print {$out} "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
        print {$out} 'x' and sleep 0.05 for 1 .. 5000;
    },
    echo      => sub { my ($out, $request) = @_;
                       print {$out} body('200 OK', $request) },
);

sub pour {
    my ($out, $header) = @_;
    my $piece = 'x' x 65536;
    print {$out} "HTTP/1.1 200 OK\r\n$header\r\n" or return;
    for (1 .. 100_000_000 / 65536) {
        print {$out} $piece or return;
    }
    return;
}

sub serve {
    my ($client) = @_;
    my $request = '';
    $client->autoflush(1);
    while (my $line = <$client>) {
        $request .= $line;
        last if $line eq "\r\n";
    }
    return tunnel($client, $1) if $request =~ m{^CONNECT \S+:(\d+) };
    # Of a proxy the whole URL is asked.
    my ($name) = $request =~ m{^GET (?:http://[^/]*)?/(\w+)};
    my $answer = $answers{ $name // '' } // $answers{404};
    $answer->($client, $request);
    # Not a reset: whoever still sends is heard out.
    shutdown $client, 1;
    sysread $client, my $rest, 4096;
    return;
}

# As a proxy: whatever the host, it is this machine, and only a high port.
sub tunnel {
    my ($client, $to) = @_;
    my $server = $to < 1024 ? undef
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to);
    if (!$server) {
        print {$client} body('403 Forbidden', '');
        return;
    }
    syswrite $client, "HTTP/1.1 200 OK\r\n\r\n";
    my $select = IO::Select->new($client, $server);
    while (my @ready = $select->can_read(20)) {
        for my $from (@ready) {
            sysread $from, my $bytes, 65536 or return;
            syswrite $from == $client ? $server : $client, $bytes;
        }
    }
    return;
}

sub start_server {
    my $listener = IO::Socket::INET->new(Listen => 50, ReuseAddr => 1,
                                         LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $port = $listener->sockport;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        $SIG{PIPE} = 'IGNORE';
        $SIG{CHLD} = 'IGNORE';
        setpgrp;
        while (1) {
            my $client = $listener->accept or next;
            my $worker = fork // POSIX::_exit(1);
            if ($worker == 0) {
                # One that answers for ever ends with this test.
                alarm 40;
                eval { serve($client) };
                POSIX::_exit(0);
            }
            close $client;
        }
    }
    setpgrp $pid, $pid; # whoever of us comes first
    push @pids, $pid;
    return $port;
}

my $port = start_server();
my $base = "http://127.0.0.1:$port";

# ---- the fetching program alone ---------------------------------------------

sub fetch {
    my ($url, %o) = @_;
    my ($in, $out, $err) = map { "$dir/fetch.$_" } qw(in out err);
    open my $feed, '>', $in or die "$in: $!\n";
    print {$feed} $o{input} // "$url\n";
    close $feed;
    my $begun = time;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', $in or POSIX::_exit(126);
        open STDOUT, '>', $out or POSIX::_exit(126);
        open STDERR, '>', $err or POSIX::_exit(126);
        delete @ENV{ grep { /proxy$/i } keys %ENV };
        $ENV{$_} = $o{env}{$_} for keys %{ $o{env} // {} };
        exec AMGR::Httpd::build_dir() . '/apache-manager-fetch',
            @{ $o{args} // [$o{timeout} // 5000, $o{max} // 1_000_000] }
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $?;
    return { code => $status & 127 ? -1 : $status >> 8,
             seconds => time - $begun,
             out => AMGR::Httpd::slurp($out), err => AMGR::Httpd::slurp($err) };
}

sub fetches {
    my ($what, $code, $out, $err, @how) = @_;
    my $r = fetch(@how);
    is($r->{code}, $code, "fetch, $what: exit code $code");
    like($r->{out}, $out, "fetch, $what: its output");
    like($r->{err}, $err, "fetch, $what: what it says");
    return $r;
}

my $fails = qr/\Aapache-manager-fetch: [^\n\x00-\x1f]+\n\z/;
my $request = fetches('a request', 0, qr/\Astatus 200\n\nGET/, qr/\A\z/,
                      "$base/echo")->{out};
like($request, qr{^GET /echo HTTP/1\.1\r$}m, 'it asks by GET');
like($request, qr{^User-Agent: apache-manager/[\d.]+\r$}m, 'by its name');
unlike($request, qr/^(?:Accept-Encoding|Cookie|Authorization|Referer)/mi,
       'and says no more');
fetches('a password', 0, qr/^Authorization: Basic \Q${\
        MIME::Base64::encode('us er:pass', '')}\E\r$/m, qr/\A\z/,
        "http://us%20er:pass\@127.0.0.1:$port/echo");
fetches('its name', 0, qr/\Astatus 200\n/, qr/\A\z/,
        "http://localhost:$port/echo");
fetches('no proxy before this machine', 0, qr/\Astatus 200\n/, qr/\A\z/,
        "$base/echo", env => { http_proxy => 'http://127.0.0.1:1/',
                               all_proxy => 'http://127.0.0.1:1/' });
fetches('a proxy before others', 0, qr{^GET http://192\.0\.2\.1/echo HTTP}m,
        qr/\A\z/, 'http://192.0.2.1/echo', env => { http_proxy => $base });
fetches('a status', 0, qr/\Astatus 403\n\nno\z/, qr/\A\z/, "$base/403");
fetches('a redirect', 0,
        qr{\Astatus 301\nlocation \Q$base\E/loop/status\.json\n\n\z},
        qr/\A\z/, "$base/loop");
fetches('a redirect with a body, asked by a password', 0,
        qr{\Astatus 302\nlocation \Q$base\E/log%20in\?a=b\n\ngo there\z},
        qr/\A\z/, "http://me:secret\@127.0.0.1:$port/moved");
fetches('a redirect with a password', 0,
        qr{\Astatus 302\nlocation http://192\.0\.2\.1/x\n\n\z},
        qr/\A\z/, "$base/302");
fetches('a type', 0, qr{\Astatus 200\ntype image/png\n\n}, qr/\A\z/,
        "$base/lies");
fetches('nobody', 1, qr/\A\z/, qr/: connection refused$/,
        'http://127.0.0.1:' . AMGR::Httpd::free_port() . '/');
fetches('no such host', 1, qr/\A\z/, qr/: this host is not known$/,
        'http://nobody.invalid/');
fetches('no HTTP', 1, qr/\A\z/, qr/does not speak HTTP/, "$base/garbage");
fetches('no answer', 1, qr/\A\z/, qr/closed without an answer/,
        "$base/nothing");
fetches('half a body', 1, qr//, qr/: the answer breaks off$/, "$base/early");
fetches('bad chunks', 1, qr//, $fails, "$base/chunked");
fetches('half a chunk', 1, qr//, $fails, "$base/chunk_cut");
fetches('too many headers', 4, qr/\A\z/, qr/head is too long$/,
        "$base/headers");
fetches('too long', 4, qr//, qr/: the answer is too long$/, "$base/endless");
fetches('longer than asked for', 4, qr//, qr/too long$/, "$base/lies",
        max => 100);
for my $late (qw(silent slow)) {
    my $r = fetches($late, 3, qr//, qr/: no answer in time$/, "$base/$late",
                    timeout => 400);
    cmp_ok($r->{seconds}, '<', 5, "fetch, $late: in time");
}
fetches('another scheme', 2, qr/\A\z/, $fails, 'file:///etc/passwd');
fetches('no scheme', 2, qr/\A\z/, $fails, '127.0.0.1/x');
fetches('no URL', 2, qr/\A\z/, $fails, '', input => '');
fetches('half a line', 2, qr/\A\z/, $fails, '', input => "$base/403");
fetches('no arguments', 2, qr/\A\z/, qr/usage/, '', args => []);
fetches('bad arguments', 2, qr/\A\z/, qr/usage/, '', args => ['0', '1']);

# Headers that are sent along.
fetches('headers', 0, qr{^Host:\ a\.example\r\n(?:.*\n)*X-One:\ b:\ c\r\n
                         (?:.*\n)*Authorization:\ Bearer\ x\@y\r$}mx,
        qr/\A\z/, '', input => "$base/echo\nHost: a.example\nX-One: b: c\n"
                               . "Authorization: Bearer x\@y\n");
my $headers = join '', map { "X-$_: v\n" } 1 .. 32;
fetches('as many headers as may be', 0, qr/^X-32: v\r$/m, qr/\A\z/, '',
        input => "$base/echo\n$headers");
fetches('a header too many', 2, qr/\A\z/, qr/: too many header lines$/, '',
        input => "$base/echo\n${headers}X-33: v\n");
fetches('long headers', 2, qr/\A\z/, qr/: too many header lines$/, '',
        input => "$base/echo\nX-1: " . 'v' x 8190 . "\n");
fetches('endless input', 2, qr/\A\z/, qr/: too much on standard input$/, '',
        input => "$base/echo\nX-1: " . 'v' x 100_000 . "\n");
for my $bad ('@/etc/passwd', 'X-One', 'X-One;', 'X-One:', 'X-One:  ',
             ': value', 'X One: v', "X-One: a\rX-Two: b", "X-One: a\tb",
             "X-One: a\0b", '', "X-One: \x7f") {
    fetches("header '" . ($bad =~ s/[^ -~]/?/gr) . "'", 2, qr/\A\z/,
            qr/: a header line is not 'Name: value'$/, '',
            input => "$base/echo\nX-Zero: 0\n$bad\n");
}
fetches('half a header', 2, qr/\A\z/, $fails, '',
        input => "$base/echo\nX-One: a");

# The head alone: how long the body is, and how long it takes, is no matter.
for (['echo', 200], ['403', 403], ['big', 200], ['endless', 200],
     ['slow', 200], ['early', 200], ['chunked', 200],
     ['early_hints', 204]) {
    my ($name, $status) = @$_;
    my $r = fetches("head of $name", 0, qr/\Astatus $status\n\n\z/, qr/\A\z/,
                    "$base/$name", max => 'head');
    cmp_ok($r->{seconds}, '<', 4, "fetch, head of $name: in time");
}
fetches('head of a redirect', 0,
        qr{\Astatus 302\nlocation \Q$base\E/log%20in\?a=b\n\n\z}, qr/\A\z/,
        "$base/moved", max => 'head');
fetches('head of nobody', 1, qr/\A\z/, qr/closed without an answer/,
        "$base/nothing", max => 'head');
fetches('head that comes late', 3, qr/\A\z/, qr/: no answer in time$/,
        "$base/silent", max => 'head', timeout => 400);
fetches('head that is too long', 4, qr/\A\z/, qr/head is too long$/,
        "$base/headers", max => 'head');
fetches('head behind a proxy', 0, qr/\Astatus 403\n\n\z/, qr/\A\z/,
        'http://192.0.2.1/403', max => 'head', env => { http_proxy => $base });
fetches('neither bytes nor head', 2, qr/\A\z/, qr/usage/, '', max => 'HEAD');

# ---- the tool ---------------------------------------------------------------

my $file = "$dir/data.txt";

# Runs that wait for a server to time out go on beside the rest.
sub begin {
    my (@args) = @_;
    my $result = "$dir/result." . @pids;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        setpgrp;
        my $r = eval { cli(@args) } // { err => $@ };
        open my $out, '>', "$result.part" or POSIX::_exit(1);
        print {$out} JSON::PP->new->latin1->encode($r);
        close $out;
        rename "$result.part", $result;
        POSIX::_exit(0);
    }
    setpgrp $pid, $pid; # whoever of us comes first
    push @pids, $pid;
    return $result;
}

sub is_fault {
    my ($r, $what, $code, $pattern) = @_;
    is($r->{code}, $code, "$what: exit code $code") or diag($r->{err});
    is($r->{out}, '', "$what: nothing is printed");
    like($r->{err}, qr/\Aapache-manager: [^\n\x00-\x1f]+\n\z/,
         "$what: one line");
    like($r->{err}, $pattern, "$what: it tells why");
    unlike($r->{err}, qr/secret/, "$what: and no password");
    ok(!-e $file, "$what: nothing is written");
    return;
}

my $silent = begin('-c', '-f', $file, '--url', "$base/silent");
my $slow = begin('--json', '--url', "$base/slow");

for (['403',     4, qr{\Q$base\E/403\S*: HTTP 403 Forbidden}],
     ['401',     4, qr/: HTTP 401 Unauthorized/],
     ['404',     1, qr/: HTTP 404 Not Found/],
     ['500',     1, qr/: HTTP 500 Internal Server Error/],
     ['503',     1, qr/: HTTP 503 Service Unavailable/],
     ['302',     1, qr{redirected to http://192\.0\.2\.1/x: ask there with}],
     ['loop',    1, qr{redirected to \Q$base\E/loop/status\.json}],
     ['garbage', 1, qr/does not speak HTTP/],
     ['nothing', 1, qr/closed without an answer/],
     ['html',    1, qr/is no status page of Apache/],
     ['empty',   1, qr/is no status\.json/],
     ['cut',     1, qr/is no status\.json/],
     ['schema',  1, qr/status\.json of schema 2/],
     ['nul',     1, qr/is no status\.json/],
     ['control', 1, qr/is no status\.json/],
     ['early',   1, qr/breaks off/],
     ['chunked', 1, qr/cannot be read/],
     ['chunk_cut', 1, qr/breaks off/],
     ['gzip',    1, qr/is no status\.json/],
     ['headers', 1, qr/head is too long/],
     ['big',     1, qr/is too long/],
     ['endless', 1, qr/is too long/]) {
    my ($name, $code, $pattern) = @$_;
    (my $url = $base) =~ s{//}{//user:secret@};
    is_fault(cli('-c', '-f', $file, '--url', "$url/$name"), $name, $code,
             $pattern);
}
is_fault(cli('--json', '--url',
             'http://127.0.0.1:' . AMGR::Httpd::free_port() . '/x'),
         'nobody', 1, qr/connection refused/);

my $r = cli('--json', '--url', "$base/lies");
is($r->{code}, 0, 'status.json of another type is read') or diag($r->{err});
is($r->{out}, $golden, 'and printed as it came');
$r = cli('-c', '-f', '-', '--url', "$base/lies");
is($r->{code}, 0, 'the data file of that');
like($r->{out}, qr/^memory-usage\texample\tcount\t2$/m, 'has its figures');

# A running server that writes nonsense must not have anybody killed.
is_fault(cli('-k', '-i', '1K', '--url', "$base/html"), 'a kill run', 1,
         qr/is no status page/);

# ---- mod_status alone -------------------------------------------------------

sub alone {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, manager => 0, location => 0,
                             modules => ['status', 'cgid'],
                             name => "alone-$mpm", config => <<'END')->start;
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
    my @args = ('--url', $s->url('/server-status'));
    my $r = cli('-c', '-f', '-', @args);
    is($r->{code}, 0, "$mpm: it is read") or diag($r->{err});
    my %metric = map { /^([^\t]+(?:\t[^\t]+\t[^\t]+)?)\t(\S+)$/ } split /\n/,
        $r->{out};
    is($metric{'status-response'}, 0, "$mpm: the page answers");
    cmp_ok($metric{'busy-workers'}, '>=', 1, "$mpm: busy with this very page");
    # A worker may come or go meanwhile.
    my ($cgid, $status, @before);
    ok(wait_until(sub {
        @before = $s->children;
        $cgid = cgid_of(@before);
        $r = cli('--json', @args);
        return 0 unless $r->{code} == 0 && "@before" eq "@{[ $s->children ]}";
        $status = JSON::PP->new->utf8->decode($r->{out});
        return 1;
    }, 20, 'its workers'), "$mpm: status.json is made of it");
    my %group = map { $_->{pid} => $_->{group} } @{ $status->{processes} };
    is_deeply(\%group, { map { $_ => $_ == $cgid ? 'daemon' : 'native' }
                         @before },
              "$mpm: its children but cgid are its workers");
    is($status->{server}{mpm}, $mpm, "$mpm: it says so");
    my ($native) = grep { $_->{name} eq 'native' } @{ $status->{groups} };
    cmp_ok($native->{min}, '>', 1 << 20, "$mpm: with their memory");
    $s->stop_ok;
    return;
}

# The oldest child of all: cgid's daemon is forked before the workers.
sub cgid_of {
    my %start = map { $_ => (AMGR::Httpd::stat_fields($_))[19] // 0 } @_;
    my ($oldest) = sort { $start{$a} <=> $start{$b} || $a <=> $b } @_;
    return $oldest;
}

alone($_) for qw(prefork event);

# ---- TLS --------------------------------------------------------------------

sub certificate {
    my ($s) = @_;
    my ($key, $file) = map { $s->path("conf/$_.pem") } qw(key cert);
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
           . "-addext subjectAltName=IP:192.0.2.1 -keyout '$key' "
           . "-out '$file' >/dev/null 2>&1") == 0
        or die "openssl has failed\n";
    return ($key, $file);
}

my $tls_port = AMGR::Httpd::free_port();
my $s = AMGR::Httpd->new(mpm => 'prefork', manager => 0, location => 0,
                         modules => ['status', 'ssl', 'socache_shmcb'],
                         name => 'tls');
my ($key, $certificate) = certificate($s);
$s->{config} = <<"END";
Listen 127.0.0.1:$tls_port https
<VirtualHost *:$tls_port>
    SSLEngine on
    SSLCertificateFile "$certificate"
    SSLCertificateKeyFile "$key"
</VirtualHost>
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
# The certificate is for another name and signed by itself; and what mod_ssl
# has to say of its libraries.
$s->expect_log(qr/AH01909|AH01906|AH01882|AH01873/);
$s->start;
my $here = "https://127.0.0.1:$tls_port/server-status";
my $there = "https://192.0.2.1:$tls_port/server-status?auto";
my %proxy = (https_proxy => $base);
fetches('this machine by TLS', 0, qr/\Astatus 200\n/, qr/\A\z/, "$here?auto");
fetches('another one', 1, qr/\A\z/, qr/: the certificate is not trusted: /,
        $there, env => \%proxy);
fetches('another one that is trusted', 0, qr/\Astatus 200\n/, qr/\A\z/, $there,
        env => { %proxy, SSL_CERT_FILE => $certificate });
fetches('a proxy that refuses', 1, qr/\A\z/, qr/: the proxy refuses: /,
        'https://192.0.2.1/', env => \%proxy);
fetches('no TLS', 1, qr/\A\z/, qr/: TLS fails: /,
        'https://127.0.0.1:' . $s->port . '/');
$r = cli('-v', '--json', '--url', $here);
is($r->{code}, 0, 'the tool reads mod_status by TLS') or diag($r->{err});
is(JSON::PP->new->utf8->decode($r->{out})->{server}{mpm}, 'prefork',
   'and prints it');
# A port of the configuration that does not look like one of TLS.
for my $how (['SSLEngine on', 'by SSLEngine', qr/HTTP 400/, 0],
             ['', 'by what the server answers', qr/HTTP 400 Bad Request/, 1]) {
    my ($line, $what, $pattern, $is_asked) = @$how;
    mkdir $s->path('work/tls');
    $s->write('work/tls/apache2.conf', "Listen 127.0.0.1:$tls_port http\n"
        . "<VirtualHost *:$tls_port>\n$line\n</VirtualHost>\n");
    $r = cli({ env => { APACHE_CONFDIR => $s->path('work/tls') } }, '-v');
    is($r->{code}, 0, "TLS $what") or diag($r->{err});
    is($r->{err} =~ $pattern ? 1 : 0, $is_asked, '... as it should be known');
    like($r->{err}, qr{read from https://127\.0\.0\.1:$tls_port}, '... there');
}
$s->stop_ok;

# ---- those that were late ----------------------------------------------------

for (['silent', $silent], ['slow', $slow]) {
    my ($name, $result) = @$_;
    ok(wait_until(sub { -e $result }, 30, $name), "$name: it comes to an end");
    my $late = JSON::PP->new->latin1->decode(AMGR::Httpd::slurp($result));
    is_fault($late, $name, 1, qr{/$name\S*: no answer within 10 seconds});
    cmp_ok($late->{seconds}, '<', 15, "$name: in time");
}
done_testing();
