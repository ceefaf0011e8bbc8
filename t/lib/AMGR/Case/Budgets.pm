# SPDX-License-Identifier: Apache-2.0
#
# Time limits of requests: each request obeys its own, time in which the
# client is at work does not count unless told, and what workers note about
# it is never more than a choice among the limits of the configuration.
package AMGR::Case::Budgets;

use strict;
use warnings;

use AMGR::Case::Hostile;
use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    INTERVAL  => '200ms',
    GLOBAL    => 3,      # seconds
    SPARED    => 4.5,    # longer than that limit and some ticks
    KILLED    => 1,      # the limit of what is to be retired
    SLACK_SEC => 8,
    BIG_MB    => 60,     # more than the buffers of a connection hold
};

my %sizes = (
    prefork => "StartServers 14\nMinSpareServers 4\nMaxSpareServers 30\n"
             . "ServerLimit 30\nMaxRequestWorkers 26\n",
    threads => "StartServers 3\nThreadsPerChild 8\nThreadLimit 8\n"
             . "MinSpareThreads 8\nMaxSpareThreads 48\nServerLimit 10\n"
             . "MaxRequestWorkers 48\n",
);

sub run {
    my ($mpm) = @_;
    my $backend = backend();
    my $s = server($mpm, $backend);
    spared($s, $backend);
    retired($s, $backend);
    $s->expect_log(qr/\[proxy(?:_\w+)?:error\]/, qr/\[wsgi:error\]/);
    $s->stop_ok;
    http2($mpm) if $mpm ne 'prefork'; # where mod_http2 refuses to work
    hostile($mpm);
    no_limit($mpm);
    kill 'TERM', $backend->{pid};
    waitpid $backend->{pid}, 0;
    done_testing();
    return;
}

# ---- what serves -----------------------------------------------------------

# What an application can do to a limit.
my $application = <<'END';
import time
from urllib.parse import parse_qs


def application(environ, start_response):
    query = parse_qs(environ.get("QUERY_STRING", ""))
    seconds = float(query.get("s", ["0"])[0])
    path = environ.get("PATH_INFO", "")
    kind = "text/plain"
    if path == "/events":
        kind = "text/event-stream; charset=utf-8"
    if path == "/read":
        size = 0
        while True:
            block = environ["wsgi.input"].read(512)
            if not block:
                break
            size += len(block)
        start_response("200 OK", [("Content-Type", kind)])
        return [b"read %d\n" % size]
    if path == "/sleep":
        time.sleep(seconds)
        start_response("200 OK", [("Content-Type", kind)])
        return [b"slept\n"]
    start_response("200 OK", [("Content-Type", kind)])
    if path == "/big":
        block = b"x" * 1048576
        return (block for i in range(int(query["mb"][0])))
    return trickle(path, seconds)


def trickle(path, seconds):
    yield b"data: begun\n\n"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path == "/drip":
            time.sleep(0.2)
            yield b"data: more\n\n"
        else:
            time.sleep(end - time.monotonic())
    yield b"data: done\n\n"
END

sub server {
    my ($mpm, $backend) = @_;
    my $s = AMGR::Httpd->new(
        mpm => $mpm, interval => INTERVAL, name => "$mpm-budgets",
        mpm_config => $sizes{ $mpm eq 'prefork' ? 'prefork' : 'threads' },
        modules => [qw(wsgi proxy proxy_http proxy_wstunnel proxy_connect)]);
    my $script = $s->write('work/budgets.wsgi', $application);
    my $to = "127.0.0.1:$backend->{port}";
    my $global = GLOBAL;
    my $killed = KILLED;
    $s->{config} = <<"END";
ManagerMinAge 1ms
ManagerMaxRetiring 100%
ManagerStormLimit Off
ManagerLameDuck Off
ManagerGracePeriod 2s
ManagerMaxTime ${global}s
WSGIScriptAliasMatch "^/\\w+(?=/)" $script
ProxyPass "/ws/" "ws://$to/"
ProxyPass "/up/" "http://$to/" upgrade=websocket
ProxyPass "/manager-status" !
ProxyRequests On
AllowCONNECT $backend->{port}
WSGIChunkedRequest On
<Location "/short/">
    ManagerMaxTime ${killed}s
</Location>
<Location "/long/">
    ManagerMaxTime 1h
</Location>
<Location "/off/">
    ManagerMaxTime Off
</Location>
<Location "/uploads/">
    ManagerMaxTime ${killed}s Uploads
</Location>
<Location "/streams/">
    ManagerMaxTime ${killed}s streams
</Location>
<If "%{QUERY_STRING} =~ /patient=1/">
    ManagerMaxTime 1h
</If>
<If "%{QUERY_STRING} =~ /hasty=1/">
    ManagerMaxTime ${killed}s
</If>
<If "%{QUERY_STRING} =~ /strict=1/">
    ManagerMaxTime ${killed}s upgrades
</If>
<VirtualHost *:*>
    ServerName first.test
</VirtualHost>
<VirtualHost *:*>
    ServerName calm.test
    ManagerMaxTime 1h
</VirtualHost>
<VirtualHost *:*>
    ServerName tunnel.test
    ProxyWebsocketFallbackToProxyHttp Off
</VirtualHost>
END
    return $s->start;
}

# Speaks just enough to be switched to: echoes lines after a 101, says nothing
# at /silent, and after CONNECT (which it sees as bytes) echoes likewise.
sub backend {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20,
                                       LocalPort => 0, ReuseAddr => 1)
        or die "backend: $!\n";
    my $port = $listen->sockport;
    my $test = $$;
    my $pid = fork // die "fork: $!\n";
    return { pid => $pid, port => $port } if $pid;
    $SIG{TERM} = 'DEFAULT';
    $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($listen);
    my (%in, %open);
    while (getppid() == $test) {
        for my $socket ($select->can_read(1)) {
            if ($socket == $listen) {
                my $new = $listen->accept or next;
                $select->add($new);
                $in{$new} = '';
                next;
            }
            my $got = sysread $socket, my $bytes, 4096;
            if (!$got) {
                $select->remove($socket);
                close $socket;
                next;
            }
            if ($open{$socket}) {
                syswrite $socket, $bytes;
                next;
            }
            $in{$socket} .= $bytes;
            if ($in{$socket} =~ m{^GET \S*/silent}) {
                next;
            }
            if ($in{$socket} =~ /\r\n\r\n/) {
                syswrite $socket, "HTTP/1.1 101 Switching Protocols\r\n"
                    . "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                $open{$socket} = 1;
            }
            elsif ($in{$socket} =~ /^raw\n/) {
                syswrite $socket, "raw\n";
                $open{$socket} = 1;
            }
        }
    }
    POSIX::_exit(0);
}

# ---- requests --------------------------------------------------------------

sub ask {
    my ($s, $path, %more) = @_;
    my $method = $more{method} // 'GET';
    my $host = $more{host} // 'first.test';
    my $head = $more{head} // '';
    return AMGR::Request->new($s->port, "$method $path HTTP/1.1\r\n"
        . "Host: $host\r\n" . ($head =~ /^Connection/m ? ''
                               : "Connection: close\r\n") . "$head\r\n"
        . ($more{body} // ''));
}

sub upgrade {
    my ($s, $path, %more) = @_;
    return ask($s, $path, head => "Upgrade: websocket\r\n"
               . "Connection: Upgrade\r\n", %more);
}

# A body of so many bytes, of which the client has sent the first.
sub upload {
    my ($s, $path, $size, %more) = @_;
    return ask($s, $path, method => 'POST', body => 'x', %more,
               head => "Content-Length: $size\r\n");
}

# Pump all but those that do not read; what is due with each look is done.
sub drive {
    my ($seconds, $requests, $each) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        $each->() if $each;
        $_->pump(0) for grep { !$_->done } @$requests;
        sleep 0.05;
    }
    return;
}

# A second of a body now and then.
sub dribble {
    my ($request, $every) = @_;
    my $next = time + $every;
    return sub {
        return if time < $next || !$request->{left};
        $next = time + $every;
        $request->{left}--;
        $request->{out} .= 'x';
    };
}

sub kills { return @{ $_[0]->json->{kills} } }

# ---- the client's time -----------------------------------------------------

sub spared {
    my ($s, $backend) = @_;
    my $mpm = $s->mpm;
    my $name = $s->name;
    ok(wait_until(sub { $s->json->{tick_time} }, 30, 'a tick'), "$name ticks");
    my $seconds = SPARED;
    my %spared = (
        'a longer limit of its location' => ask($s, "/long/sleep?s=$seconds"),
        'no limit in its location' => ask($s, "/off/sleep?s=$seconds"),
        'a longer one by <If>' => ask($s, "/app/sleep?s=$seconds&patient=1"),
        'a longer one of its virtual host' =>
            ask($s, "/app/sleep?s=$seconds", host => 'calm.test'),
        'a stream of events' => ask($s, "/app/events?s=$seconds"),
        'an answer that keeps coming' => ask($s, "/app/drip?s=$seconds"),
    );
    my $upload = upload($s, '/app/read', 11);
    $upload->{left} = 10;
    my $chunked = ask($s, '/app/read', method => 'POST',
                      head => "Transfer-Encoding: chunked\r\n",
                      body => "1\r\nx\r\n");
    my $slow = ask($s, '/app/big?mb=' . BIG_MB);
    my %tunnel = (
        'mod_proxy_http' => upgrade($s, '/up/socket'),
        'mod_proxy_wstunnel by way of mod_proxy_http' =>
            upgrade($s, '/ws/socket'),
        'mod_proxy_wstunnel alone' =>
            upgrade($s, '/ws/socket', host => 'tunnel.test'),
        'CONNECT' => ask($s, "127.0.0.1:$backend->{port}",
                         method => 'CONNECT', host => 'tunnel.test',
                         head => "Connection: keep-alive\r\n"),
    );
    drive(0.7, [values %tunnel]);
    $tunnel{CONNECT}{out} .= "raw\n";
    my $seen = wait_until(sub {
        my %limit = map { ($_->{request} // '') => $_->{max_time_seconds} }
            grep { defined $_->{request_age_seconds} }
            map { @{ $_->{slots} } } @{ $s->json->{processes} };
        exists $limit{'GET /long/sleep HTTP/1.1'} && \%limit;
    }, 30, 'a slot that runs /long/sleep') // {};
    is($seen->{'GET /long/sleep HTTP/1.1'}, 3600, "$name: its limit is shown");
    is($seen->{'GET /off/sleep HTTP/1.1'}, undef, 'none where it is off');
    is($seen->{'GET /app/drip HTTP/1.1'}, GLOBAL, "the server's elsewhere");
    is($seen->{'GET /app/events HTTP/1.1'}, undef, 'none of a stream');
    # A switch that nobody takes up, and what comes after it.
    my $kept = ask($s, '/streams/sleep?s=0.1', head => "Upgrade: nothing\r\n"
                   . "Connection: Upgrade\r\n");
    ok(wait_until(sub { $kept->pump(0); $kept->bytes =~ /slept\n/ }, 30,
                  'an answer'), "$name: a switch that nobody takes up");
    $kept->{out} .= "GET /app/sleep?s=0.1 HTTP/1.1\r\nHost: first.test\r\n"
        . "Connection: close\r\n\r\n";
    ok($kept->wait(30), 'and the next request of its connection');
    is(scalar(() = $kept->bytes =~ m{^HTTP/1\.1 200 }mg), 2, 'answered both');
    my $dribble = dribble($upload, 0.5);
    drive(SPARED + 1.2, [values %spared, values %tunnel, $upload, $chunked],
          $dribble);
    $upload->{out} .= 'x' x $upload->{left};
    $chunked->{out} .= "0\r\n\r\n";
    ok($_->wait(30), 'an end') for $upload, $chunked, values %spared;
    is($upload->body, "read 11\n", "$name: a body that dribbles is spared");
    is($chunked->body, "read 1\n", "$name: one that stands still as well");
    is($spared{$_}->status, 200, "$name: $_") for sort keys %spared;
    ok($slow->wait(30), 'the slow reader reads');
    is(length($slow->body // ''), BIG_MB * 1048576,
       "$name: a reader that waited is spared");
    for my $kind (sort keys %tunnel) {
        my $tunnel = $tunnel{$kind};
        $tunnel->{out} .= "still there\n";
        ok(wait_until(sub {
            $tunnel->pump(0);
            $tunnel->bytes =~ /still there\n\z/;
        }, 30, "an echo through $kind"), "$name: a connection switched by $kind");
        $tunnel->close_now;
    }
    is_deeply([map { $_->{request} } kills($s)], [], "$name: nobody retired");
    is($s->json->{manager}{hanging}, 0, 'and none counted as hanging');
    return;
}

# ---- the application's time ------------------------------------------------

sub retired {
    my ($s, $backend) = @_;
    my $seconds = 30;
    my @cases = (
        ['the server\'s limit', GLOBAL, '/app/sleep',
         sub { ask($s, "/app/sleep?s=$seconds") }],
        ['the virtual host\'s, which is the server\'s', GLOBAL, '/app/sleep',
         sub { ask($s, "/app/sleep?s=$seconds", host => 'tunnel.test') }],
        ['a shorter one of its location', KILLED, '/short/sleep',
         sub { ask($s, "/short/sleep?s=$seconds") }],
        ['a shorter one by <If>', KILLED, '/app/sleep',
         sub { ask($s, "/app/sleep?hasty=1&s=$seconds", host => 'calm.test') }],
        ['silence after the answer has begun', KILLED, '/short/hush',
         sub { ask($s, "/short/hush?s=$seconds") }],
        ['an upload that nobody reads', KILLED, '/short/sleep',
         sub { upload($s, "/short/sleep?s=$seconds", 1000) }],
        ['a slow upload where uploads count', KILLED, '/uploads/read',
         sub { upload($s, '/uploads/read', 1000) }],
        ['a stream of events where streams count', KILLED, '/streams/events',
         sub { ask($s, "/streams/events?s=$seconds") }],
        ['an answer that keeps coming, likewise', KILLED, '/streams/drip',
         sub { ask($s, "/streams/drip?s=$seconds") }],
        ['the same to one that asks for a switch', KILLED, '/streams/drip',
         sub { upgrade($s, "/streams/drip?s=$seconds") }],
        ['a switched connection where they count', KILLED, '/up/socket',
         sub { upgrade($s, '/up/socket?strict=1') }],
        ['a switch that the backend does not answer', KILLED, '/up/silent',
         sub { upgrade($s, '/up/silent?hasty=1') }],
    );
    for (@cases) {
        my ($what, $limit, $path, $begin) = @$_;
        one_retired($s, $what, $limit, $path, $begin);
    }
    my $count = @cases;
    is(scalar(kills($s)), $count, $s->name . ': nobody else');
    is_deeply([schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        'status.json obeys its schema');
    return;
}

sub one_retired {
    my ($s, $what, $limit, $path, $begin) = @_;
    my $name = $s->name;
    my $before = kills($s);
    my $request = $begin->();
    ok($request->wait($limit + SLACK_SEC), "$name: $what: its end")
        or diag($request->bytes);
    cmp_ok($request->took, '>=', $limit - 0.1, 'not before its time');
    my $record;
    ok(wait_until(sub {
        my @kills = kills($s);
        $record = $kills[0];
        @kills > $before && $record->{outcome} ne 'pending';
    }, 30, 'a record'), "$name: $what: a record") or return;
    is($record->{reason}, 'time', 'for time');
    is($record->{limit}, $limit, 'by its own limit');
    like($record->{request}, qr{^(?:GET|POST) \Q$path\E HTTP}, 'for that request');
    ok(wait_until(sub { $s->get('/')->code == 200 }, 30, 'service'), 'it serves');
    return;
}

# ---- HTTP/2 ----------------------------------------------------------------

# curl, which speaks HTTP/2 at once, in a process of its own.
sub curl {
    my ($s, $path, %more) = @_;
    my $out = $s->path('work/curl-' . ++$s->{curls});
    my @body = $more{body} ? ('-T', '-') : ();
    my $in;
    pipe my $read, $in or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        close $in;
        open STDIN, '<&', $read or POSIX::_exit(126);
        open STDOUT, '>', $out or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        exec 'setpriv', '--pdeathsig', 'KILL', 'curl', '-s', '-m', 60, @body,
            '--http2-prior-knowledge', '-w', "\n%{http_code} %{http_version}\n",
            $s->url($path)
            or POSIX::_exit(127);
    }
    close $read;
    close $in unless $more{body};
    return { pid => $pid, out => $out, begun => time, in => $in };
}

sub curl_ended {
    my ($curl, $timeout) = @_;
    return wait_until(sub {
        waitpid($curl->{pid}, POSIX::WNOHANG()) == $curl->{pid}
            && ($curl->{took} = time - $curl->{begun});
    }, $timeout, 'the end of curl');
}

sub http2 {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(
        mpm => $mpm, interval => INTERVAL, name => "$mpm-h2",
        mpm_config => $sizes{threads}, modules => [qw(wsgi http2)]);
    my $script = $s->write('work/budgets.wsgi', $application);
    my $global = GLOBAL;
    my $killed = KILLED;
    $s->{config} = <<"END";
Protocols h2c http/1.1
WSGIChunkedRequest On
ManagerMinAge 1ms
ManagerMaxRetiring 100%
ManagerStormLimit Off
ManagerLameDuck Off
ManagerGracePeriod 2s
ManagerMaxTime ${global}s
WSGIScriptAliasMatch "^/\\w+(?=/)" $script
<Location "/short/">
    ManagerMaxTime ${killed}s
</Location>
<Location "/turn/">
    ManagerMaxTime 2s
</Location>
<Location "/off/">
    ManagerMaxTime Off
</Location>
END
    $s->start;
    my $name = $s->name;
    ok(wait_until(sub { $s->json->{tick_time} }, 30, 'a tick'), "$name ticks");
    my $short = curl($s, '/app/sleep?s=1.5');
    my $off = curl($s, '/off/sleep?s=' . SPARED);
    my $events = curl($s, '/app/events?s=' . SPARED);
    my $upload = curl($s, '/app/read', body => 1);
    ok(wait_until(sub {
        grep { ($_->{max_time_seconds} // 0) == GLOBAL
               && $_->{protocol} && $_->{protocol} eq 'h2c' }
            map { @{ $_->{slots} } } @{ $s->json->{processes} };
    }, 30, 'a limit'), "$name: the limit of a connection's oldest is shown");
    my $end = time + SPARED;
    while (time < $end) {
        local $SIG{PIPE} = 'IGNORE';
        syswrite $upload->{in}, 'x';
        sleep 0.25;
    }
    close $upload->{in};
    for my $curl ($short, $off, $events, $upload) {
        ok(curl_ended($curl, 15), "$name: one ends");
        like(AMGR::Httpd::slurp($curl->{out}), qr/^200 2$/m,
             'answered, by HTTP/2');
    }
    like(AMGR::Httpd::slurp($upload->{out}), qr/^read \d\d$/m, 'the upload');
    is_deeply([kills($s)], [], "$name: nobody retired");

    for (['/short/sleep?s=30', KILLED], ['/app/sleep?s=30', GLOBAL]) {
        my ($path, $limit) = @$_;
        my $before = kills($s);
        my $curl = curl($s, $path);
        ok(curl_ended($curl, $limit + SLACK_SEC), "$name: $path ends");
        cmp_ok($curl->{took}, '>=', $limit - 0.1, 'not before its time');
        unlike(AMGR::Httpd::slurp($curl->{out}), qr/^200 2$/m, 'unanswered');
        my ($r) = kills($s);
        is(scalar(kills($s)), $before + 1, 'one retired');
        is($r->{reason}, 'time', 'for time');
        is($r->{limit}, $limit, "$name: by its limit");
        ok(wait_until(sub { $s->get('/')->code == 200 }, 30, 'service'),
           'it serves');
    }
    # One after the other on one connection: no age is handed on.
    my $one = connect_http2($s);
    my $stream = -1;
    for my $turn (1 .. 6) {
        $stream += 2;
        get_http2($one, $stream, '/turn/sleep?s=0.5');
        ok(answered($one, $stream), "$name: number $turn of one connection");
    }
    # Beside each other, each by its own limit.
    get_http2($one, 101, '/app/sleep?s=1.5');
    get_http2($one, 103, '/off/sleep?s=4');
    get_http2($one, 105, '/turn/sleep?s=0.5');
    ok(answered($one, $_), "$name: stream $_ of three") for 101, 103, 105;
    $one->close_now;
    is(scalar(kills($s)), 2, "$name: and nobody retired");
    is($s->json->{manager}{untimed}, 0, 'all of them were timed');
    $s->stop_ok;
    return;
}

# Just enough of HTTP/2 to ask for several things over one connection, with
# header fields that are not compressed.
sub connect_http2 {
    my ($s) = @_;
    my $one = AMGR::Request->new($s->port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                 . frame(4, 0, 0, ''));
    $one->{host} = '127.0.0.1:' . $s->port;
    return $one;
}

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}

sub get_http2 {
    my ($one, $stream, $path) = @_;
    # GET, http; then authority and path by index of the name.
    $one->{out} .= frame(1, 0x05, $stream, "\x82\x86" . "\x01"
                         . pack('C/a*', $one->{host}) . "\x04"
                         . pack('C/a*', $path));
    return;
}

# Whether the stream has ended with status 200.
sub answered {
    my ($one, $stream) = @_;
    return wait_until(sub {
        $one->pump(0);
        my $bytes = $one->bytes;
        my ($status, $ended);
        while (length $bytes >= 9) {
            my ($length, $type, $flags, $id) =
                (unpack('N', "\0" . substr($bytes, 0, 3)),
                 unpack('CCN', substr $bytes, 3, 6));
            last if length $bytes < 9 + $length;
            my $payload = substr $bytes, 9, $length;
            $bytes = substr $bytes, 9 + $length;
            next if $id != $stream;
            $status = 200 if $type == 1 && $payload =~ /^[\x20-\x3f]*\x88/;
            $ended = 1 if $type <= 1 && $flags & 1;
        }
        return $status && $ended;
    }, 30, "the answer to stream $stream");
}

# ---- what a worker may note ------------------------------------------------

sub hostile {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(
        mpm => $mpm, interval => INTERVAL, name => "$mpm-forged",
        mpm_config => $sizes{ $mpm eq 'prefork' ? 'prefork' : 'threads' },
        modules => ['wsgi']);
    my $module = $s->build_object('mod_scribble');
    my $script = $s->write('work/budgets.wsgi', $application);
    $s->{config} = <<"END";
LoadModule scribble_module $module
<Location "/scribble">
    SetHandler scribble
    ManagerMaxTime Off
</Location>
ManagerMinAge 1ms
ManagerLameDuck Off
ManagerGracePeriod 2s
ManagerMaxTime 1h
WSGIScriptAliasMatch "^/\\w+(?=/)" $script
<Location "/short/">
    ManagerMaxTime 1s
</Location>
<Location "/off/">
    ManagerMaxTime Off
</Location>
END
    $s->start;
    my $name = $s->name;
    ok(wait_until(sub { $s->json->{tick_time} }, 30, 'a tick'), "$name ticks");
    my @before = $s->children;
    for my $lie ('noise=1', 'notes=index', 'notes=stamp') {
        my @run = (ask($s, '/off/sleep?s=3'), ask($s, '/app/sleep?s=3'));
        ok(wait_until(sub {
            2 == grep { defined $_->{request_age_seconds}
                        && ($_->{request} // '') =~ m{/sleep} }
                 map { @{ $_->{slots} } } @{ $s->json->{processes} };
        }, 30, 'both run'), "$name: two that may run long");
        my $liar = ask($s, "/scribble?$lie&secs=2");
        ok($liar->wait(30), "$name: $lie");
        like($liar->body // '', qr/forged=[1-9]|mappings=[1-9]/, 'it forged');
        for my $request (@run) {
            ok($request->wait(30), 'they end');
            is($request->status, 200, 'and were answered');
        }
        ok($s->wait_ticks(2), 'a whole tick');
        is_deeply([kills($s)], [], "$name: nobody is retired by $lie");
        AMGR::Case::Retire::all_live("$name: all live", @before);
        AMGR::Case::Hostile::healthy($s, $lie);
    }
    $s->stop_ok;
    return;
}

# ---- nothing configured ----------------------------------------------------

# Whether this module adds anything to a request, by what mod_info sees.
sub takes_part {
    my ($s) = @_;
    my ($hooks) = $s->get('/info?hooks')->content
        =~ m{<strong>Insert Filters:</strong>(.*?)<strong>}s
        or die "mod_info does not list the hooks\n";
    return $hooks =~ /\bmod_apache_manager\.c\b/ ? 1 : 0;
}

# A graceful restart, until nobody of before it serves any more.
sub renew {
    my ($s) = @_;
    my $generation = $s->json->{server}{generation} + 1;
    return ok($s->graceful && wait_until(sub {
        !grep { $_->{kind} eq 'native' && $_->{generation} != $generation }
            @{ $s->json->{processes} };
    }, 30, "generation $generation alone"), $s->name . ': a restart');
}

# Limits that come and go with a graceful restart.
sub no_limit {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(
        mpm => $mpm, interval => INTERVAL, name => "$mpm-reload",
        mpm_config => $sizes{ $mpm eq 'prefork' ? 'prefork' : 'threads' },
        modules => ['wsgi', 'info']);
    my $script = $s->write('work/budgets.wsgi', $application);
    my $plain = <<"END";
ManagerMinAge 1ms
ManagerStormLimit Off
ManagerLameDuck Off
ManagerGracePeriod 2s
WSGIScriptAliasMatch "^/app(?=/)" $script
<Location "/info">
    SetHandler server-info
</Location>
END
    $s->{config} = $plain;
    $s->start;
    my $name = $s->name;
    is(takes_part($s), 0, "$name: nothing is installed without a limit");
    $s->set_config("$plain<Location \"/app/sleep\">\n"
                   . "ManagerMaxTime 1s\n</Location>\n");
    renew($s) or return;
    my $long = ask($s, '/app/sleep?s=30');
    ok($long->wait(KILLED + SLACK_SEC), "$name: a limit that came");
    ok(wait_until(sub { kills($s) == 1 }, 30, 'a record'), 'acts');
    ok(wait_until(sub { $s->get('/')->code == 200 }, 30, 'service'), 'it serves');
    is(takes_part($s), 1, "$name: and something with one");
    $s->set_config("$plain<Location \"/app/other\">\nManagerMaxTime 1s\n"
                   . "</Location>\n");
    renew($s) or return;
    my $new = ask($s, '/app/sleep?s=3');
    ok($new->wait(30), "$name: a limit that went");
    is($new->status, 200, 'does not act');
    $s->expect_log(qr/long lost child came home/);
    $s->stop_ok;
    return;
}

1;
