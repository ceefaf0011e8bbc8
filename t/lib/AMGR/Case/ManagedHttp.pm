# SPDX-License-Identifier: Apache-2.0
#
# Managed processes over HTTP: what is shown of them and to whom, orders, who
# may give one, and pymanager's addresses.
package AMGR::Case::ManagedHttp;

use strict;
use warnings;

use AMGR::Browser;
use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use Apache::Test qw(-withtestmore);
use HTTP::Request ();
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    AUDIT   => qr/AMGR0044: order over HTTP: /,
    OUTCOME => qr/AMGR0044: order over HTTP waited for: /,
    REFUSED => qr/AMGR0045: order over HTTP refused: /,
    SOON    => 30,
};

my %parts = (
    event   => [\&read_only, \&proof, \&hosts, \&bodies, \&orders, \&waiting,
                \&hang_up, \&hang_up_http2, \&restarted, \&pymanager_waits,
                \&coalesced, \&levels, \&new_token,
                \&pymanager, \&shut_down],
    worker  => [\&silent, \&buttons, \&pymanager_ends],
    prefork => [\&orders, \&waiting, \&restarted, \&new_token],
);

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    # AH01631: httpd's own words for a reader who orders.
    $s->expect_log(REFUSED, qr/AH01631: user reader: /);
    ready($s, qw(web other));
    $_->($s) for @{ $parts{$mpm} };
    is($s->get('/')->code, 200, 'the server serves');
    $s->stop_ok;
    done_testing();
    return;
}

# Nobody is managed: what is there all the same.
sub run_without {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm);
    $s->{pym_port} = AMGR::Httpd::free_port();
    $s->{config} = places($s);
    $s->start;
    $s->expect_log(REFUSED);
    my $list = $s->json('/on/processes');
    is($list->{count}, 0, 'none is counted');
    is_deeply($list->{processes}, [], 'none is listed');
    like($list->{token}, qr/^[0-9a-f]{32}$/, 'orders would be taken');
    my $answer = $s->get('/on/ready');
    is($answer->code, 200, 'without any, all is ready');
    is(decode($answer)->{status}, 'running', 'in words too');
    my @token = ('X-Manager-Token' => $list->{token});
    is($s->request(POST => '/on/processes/web/start', @token)->code, 404,
       'none to be started');
    is($s->request(DELETE => '/on/processes', @token)->code, 200,
       'all of none are stopped');
    is($s->request(DELETE => '/on/processes')->code, 403, 'if by somebody');
    is_deeply(decode(pym($s, GET => '/')), { count => 0, processes => [] },
              'pymanager has none');
    is_deeply(decode(pym($s, GET => '/status')), { status => 'running' },
              'pymanager runs');
    $s->stop_ok;
    done_testing();
    return;
}

# ---- the server -----------------------------------------------------------

# "web" and "other" are ready at once; "slow" when its file is there.
sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm,
        modules => [qw(auth_basic authn_core authn_file authz_user),
                    $mpm eq 'event' ? 'http2' : ()]);
    $s->{pym_port} = AMGR::Httpd::free_port();
    $s->write('conf/users', "reader:secret\nadmin:secret\n" =~
              s/secret/{SHA}5en6G6MezRroT3XKqkdPOmY\/BfQ=/gr);
    $s->{config} = ($mpm eq 'event' ? "Protocols h2c http/1.1\n" : '')
        . places($s) . user_levels($s) . sections($s);
    return $s->start;
}

sub sections {
    my ($s) = @_;
    my $file = $s->path('work/slow.ready');
    my ($lock, $copy) = map { $s->write("work/$_", '', 0666) } qw(lock copy);
    # Whoever is there twice at a time leaves a mark.
    my $script = "exec 9>>$lock; flock -n 9 || echo two >>$copy; "
        . 'exec sleep 1000';
    return <<"END";
<ManagedProcess web>
    Command /bin/sleep 1000 0.0625
</ManagedProcess>
<ManagedProcess other>
    Command /bin/sh -c "$script"
</ManagedProcess>
<ManagedProcess slow>
    Command /bin/sleep 1000
    Verify file $file interval=100ms
    StartTimeout 10m
</ManagedProcess>
END
}

sub places {
    my ($s) = @_;
    return <<"END";
Listen 127.0.0.1:$s->{pym_port}
<Location "/on">
    SetHandler manager-status
    Require local
    ManagerControl On
</Location>
<Location "/on/ready">
    Require all granted
</Location>
<Location "/on/off">
    SetHandler manager-status
    Require local
    ManagerControl Off
</Location>
<VirtualHost 127.0.0.1:$s->{pym_port}>
    DirectoryIndex disabled
    <Location "/">
        SetHandler manager-status
        Require local
        ManagerControl pymanager
    </Location>
    <Location "/page">
        SetHandler manager-status
        ManagerControl Off
    </Location>
</VirtualHost>
END
}

# Who reads and who orders are not the same.
sub user_levels {
    my ($s) = @_;
    my $users = $s->path('conf/users');
    return <<"END";
<Location "/levels">
    SetHandler manager-status
    ManagerControl On
    AuthType Basic
    AuthName manager
    AuthBasicProvider file
    AuthUserFile $users
    <RequireAny>
        Require user admin
        <RequireAll>
            Require valid-user
            Require method GET HEAD
        </RequireAll>
    </RequireAny>
</Location>
END
}

# ---- asking ---------------------------------------------------------------

sub decode { return JSON::PP->new->utf8->decode($_[0]->content) }

sub token { return $_[0]->json('/on/processes')->{token} }

sub process {
    my ($s, $name) = @_;
    my ($found) = grep { $_->{name} eq $name }
        @{ $s->json('/on/processes')->{processes} };
    return $found;
}

sub pid { return process(@_)->{pid} }

sub ready {
    my ($s, @names) = @_;
    for my $name (@names) {
        ok(wait_until(sub { process($s, $name)->{ready} }, SOON,
                      "$name is ready"), "$name is ready");
    }
    return;
}

# An order with a proof.
sub order {
    my ($s, $what, @headers) = @_;
    return $s->request(POST => "/on/processes/$what",
                       'X-Manager-Token' => token($s), @headers);
}

sub form {
    my ($s, $path, $body, @headers) = @_;
    return $s->agent->request(HTTP::Request->new(POST => $s->url($path),
        ['Content-Type' => 'application/x-www-form-urlencoded', @headers],
        $body));
}

# pymanager's virtual host.
sub pym {
    my ($s, $method, $path, @headers) = @_;
    return $s->agent->request(HTTP::Request->new($method,
        "http://127.0.0.1:$s->{pym_port}$path", [@headers]));
}

sub settle_slow {
    my ($s) = @_;
    $s->write('work/slow.ready', '');
    ready($s, 'slow');
    return;
}

# ---- what is shown --------------------------------------------------------

sub read_only {
    my ($s) = @_;
    for my $place (qw(/manager-status /on /on/off /levels)) {
        my @who = $place eq '/levels'
            ? (Authorization => 'Basic ' . encode_base64('reader:secret', ''))
            : ();
        my $list = decode($s->get("$place/processes", @who));
        is($list->{count}, 3, "$place: three");
        is(join(' ', map { $_->{name} } @{ $list->{processes} }),
           'web other slow', "$place: as they stand in the configuration");
        my $has = $place eq '/on' || $place eq '/levels';
        is(!!$list->{token}, !!$has, "$place: who may order has a token");
        my $answer = $s->get("$place/ready", @who);
        is($answer->code, 503, "$place: one is not ready");
        is(decode($answer)->{status}, 'starting', "$place: in words");
        like($answer->header('Retry-After'), qr/^\d+$/,
             "$place: it is worth while to ask again");
        is($answer->header('Cache-Control'), 'no-store', "$place: now");
        my $head = $s->request(HEAD => "$place/ready", @who);
        is($head->code, 503, "$place: HEAD has the same status");
        is($head->content, '', "$place: HEAD has no body");
        is($head->header('Content-Length'), $answer->header('Content-Length'),
           "$place: HEAD has the length");
    }
    unlike($s->get('/on/processes')->content, qr/0\.0625/,
           'arguments are nobody\'s business');
    unlike($s->get('/manager-status/status.json')->content,
           qr/@{[ token($s) ]}/, 'the token is where it is looked for');
    for (['/on/ready', 'GET HEAD'], ['/on/processes', 'DELETE GET HEAD']) {
        my ($path, $allowed) = @$_;
        my $answer = $s->request(POST => $path);
        is($answer->code, 405, "POST $path");
        is(join(' ', grep { !/TRACE/ } sort split /[ ,]+/,
                $answer->header('Allow')), $allowed,
           "$path: what is allowed");
    }
    settle_slow($s);
    my $answer = $s->get('/manager-status/ready');
    is($answer->code, 200, 'all are ready');
    is($answer->header('Retry-After'), undef, 'nothing to wait for');
    is(decode($answer)->{status}, 'running', 'running');
    return;
}

# ---- who may order --------------------------------------------------------

sub proof {
    my ($s) = @_;
    my $url = $s->url('');
    my $token = token($s);
    my @token = ('X-Manager-Token' => $token);
    (my $wrong = $token) =~ tr/0-9a-f/1-9a-f0/;
    my $pid = pid($s, 'web');
    # Nothing that is refused does anything.
    my @refused = (
        ['without a proof'],
        ['by a browser that says nothing', Referer => "$url/on"],
        ['by the address bar', 'Sec-Fetch-Site' => 'none'],
        ['from another site', Origin => 'http://evil.example'],
        ['from another port', Origin => 'http://127.0.0.1:1'],
        ['from another scheme', Origin => $url =~ s/http/https/r],
        ['from nowhere', Origin => 'null'],
        ['from another site, it says', 'Sec-Fetch-Site' => 'cross-site'],
        ['from a sibling', 'Sec-Fetch-Site' => 'same-site'],
        ['with a contradiction', 'Sec-Fetch-Site' => 'same-origin',
         Origin => 'http://evil.example'],
        ['with another', 'Sec-Fetch-Site' => 'cross-site', Origin => $url],
        ['with a wrong token', 'X-Manager-Token' => $wrong],
        ['with an empty token', 'X-Manager-Token' => ''],
        ['with a part of it', 'X-Manager-Token' => substr $token, 1],
        ['with a wrong token from here', 'X-Manager-Token' => $wrong,
         Origin => $url],
        ['with the token from another site', @token,
         Origin => 'http://evil.example'],
        ['with the token across sites', @token,
         'Sec-Fetch-Site' => 'cross-site'],
        ['with a name that leads here', Origin => 'http://evil.example',
         Host => 'evil.example'],
        ['with such a name, it says', 'Sec-Fetch-Site' => 'same-origin',
         Host => 'evil.example'],
    );
    for (@refused) {
        my ($what, @headers) = @$_;
        for my $order ([POST => '/on/processes/web/restart'],
                       [DELETE => '/on/processes']) {
            $s->mark_log;
            my $answer = $s->request(@$order, @headers);
            is($answer->code, 403, "$order->[0] $what");
            my $json = decode($answer);
            ok(!$json->{ok} && $json->{error} =~ /\w{3}/,
               "$order->[0] $what: why not");
            is(scalar(() = $s->log_lines(REFUSED)), 1,
               "$order->[0] $what: one line in the log");
            is(scalar(() = $s->log_lines(AUDIT)), 0, 'and no other');
        }
    }
    is($s->request(POST => "/on/processes/web/restart?token=$token")->code,
       403, 'an address is no place for a token');
    for my $method (qw(GET HEAD PUT DELETE FOO)) {
        $s->mark_log;
        my $answer = $s->request($method => '/on/processes/web/restart',
                                 @token);
        is($answer->code, 405, "$method is no way to give an order");
        like($answer->header('Allow'), qr/^POST\b/, "$method: what is");
        is(decode($answer)->{status}, 405, "$method: in JSON")
            if $method ne 'HEAD';
        is(scalar(() = $s->log_lines(REFUSED)), 1, "$method: in the log");
    }
    for my $place (qw(/manager-status /on/off)) {
        my $answer = $s->request(POST => "$place/processes/web/restart",
                                 @token);
        is($answer->code, 403, "$place takes no orders");
        like(decode($answer)->{error}, qr/ManagerControl is Off/, 'it says so');
        is($s->request(DELETE => "$place/processes", @token)->code, 403,
           "$place: nor to stop all");
    }
    is(pid($s, 'web'), $pid, 'nothing happened');
    my $log = $s->log_text(0);
    unlike($log, qr/$token|$wrong/, 'no token in the log');

    # Each of these is enough.
    my @good = (
        ['with the token', @token],
        ['with the token and from here', @token, Origin => $url],
        ['with the token by whatever name', @token, Host => 'evil.example'],
        ['from here', Origin => $url],
        ['from here, it says', 'Sec-Fetch-Site' => 'same-origin'],
        ['from here in both ways', Origin => $url,
         'Sec-Fetch-Site' => 'same-origin'],
    );
    for (@good) {
        my ($what, @headers) = @$_;
        $s->mark_log;
        is($s->request(POST => '/on/processes/web/start', @headers)->code, 202,
           "an order $what");
        is(scalar(() = $s->log_lines(AUDIT)), 1, "$what: in the log");
    }
    is(form($s, '/on/processes/web/start', "x=1&token=$token")->code, 202,
       'an order with the token in a form');
    is(pid($s, 'web'), $pid, 'what runs is not started again');
    return;
}

# The token goes to whoever asks by a name of this server.
sub hosts {
    my ($s) = @_;
    my $port = $s->port;
    my %has = ("127.0.0.1:$port" => 1, "localhost:$port" => 1,
               "[::1]:$port" => 1, '127.0.0.1' => 1,
               "evil.example:$port" => 0, 'evil.example' => 0,
               '127.0.0.1.evil.example' => 0, 'localhost.evil.example' => 0);
    for my $host (sort keys %has) {
        my $list = decode($s->get('/on/processes', Host => $host));
        is(!!$list->{token}, !!$has{$host}, "the token for $host");
        is($list->{count}, 3, "all else for $host");
        # What a script makes of a token that was not told.
        for my $token ([], ['X-Manager-Token' => 'null']) {
            $s->mark_log;
            my $answer = $s->request(POST => '/on/processes/web/restart',
                                     Host => $host, @$token);
            is($answer->code, 403, "an order for $host");
            my $why = $has{$host} ? qr/nothing proves|its token is not/
                : qr/\bits Host is neither\b/;
            like(decode($answer)->{error}, $why, "$host: why not");
            like(($s->log_lines(REFUSED))[0], $why, "$host: so in the log");
        }
    }
    return;
}

sub bodies {
    my ($s) = @_;
    my $token = token($s);
    my $start = '/on/processes/web/start';
    my @token = ('X-Manager-Token' => $token);
    my $wrong = 'a' x 32;
    is(form($s, $start, 'x' x 4096, @token)->code, 202, 'a body of 4 KiB');
    $s->mark_log;
    my $answer = form($s, $start, 'x' x 4097, @token);
    is($answer->code, 413, 'and a byte more');
    is(decode($answer)->{status}, 413, 'in JSON');
    like(($s->log_lines(REFUSED))[0], qr/: 413, its body is too long$/,
         'and in the log');
    is(form($s, $start, "token=$wrong", @token)->code, 403,
       'two tokens, of which one is wrong');
    is(form($s, $start, "token=$wrong&token=$token")->code, 403,
       'the first in a form counts');
    is(form($s, $start, "tokens=$token")->code, 403, 'another field');
    is(form($s, $start, "token=$token", 'Content-Type' => 'text/plain')->code,
       403, 'what is no form has no fields');
    is(form($s, $start, '', @token)->code, 202, 'an empty form');
    my $head = "POST $start HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n";
    like($s->raw($head . "Content-Type: application/x-www-form-urlencoded\r\n"
                 . "Transfer-Encoding: chunked\r\n\r\n"
                 . sprintf("6\r\ntoken=\r\n20\r\n%s\r\n0\r\n\r\n", $token)),
         qr{^HTTP/1\.1 202 }, 'a body in pieces');
    like($s->raw($head . "X-Manager-Token: $token\r\n"
                 . "Transfer-Encoding: chunked\r\n\r\n"
                 . "2000\r\n" . 'x' x 0x2000 . "\r\n0\r\n\r\n"),
         qr{^HTTP/1\.1 413 }, 'one without end');
    is($s->get('/')->code, 200, 'it serves on');
    return;
}

# ---- orders ---------------------------------------------------------------

sub orders {
    my ($s) = @_;
    my $first = pid($s, 'web');
    ok($first, 'web runs');
    $s->mark_log;
    my $answer = order($s, 'web/restart?wait=20');
    is($answer->code, 200, 'a restart that is waited for');
    is($answer->header('Content-Type'), 'application/json', 'JSON');
    my $now = decode($answer);
    is($now->{name}, 'web', 'the process');
    is($now->{state}, 'READY', 'it is ready');
    isnt($now->{pid}, $first, 'it is another one');
    ok(kill(0, $now->{pid}), 'which is there');
    ok(!-e "/proc/$first", 'and the first is gone');
    my ($line) = $s->log_lines(AUDIT);
    like($line, qr/:notice\] .*: restart web by user - from 127\.0\.0\.1$/,
         'who ordered what, a notice');
    ($line) = $s->log_lines(OUTCOME);
    like($line, qr/:info\] .*: restart web by user - from 127\.0\.0\.1: 200, READY$/,
         'and what came of it');
    my ($said, @rest) = grep { /${\AUDIT}|process web: | waited for: / }
        $s->log_lines(qr/./);
    like($said, AUDIT, 'the order stands before what it leads to');
    like($rest[-1], OUTCOME, '... and what came of it behind');

    $answer = order($s, 'web/stop?wait=20');
    is($answer->code, 200, 'a stop that is waited for');
    my $stopped = decode($answer);
    is("@$stopped{qw(state want)}", 'STOPPED down', 'it is stopped');
    is($stopped->{pid}, undef, 'no process');
    ok(!-e "/proc/$now->{pid}", 'it is gone');
    is(order($s, 'web/stop')->code, 202, 'a second stop is no fault');
    is(order($s, 'web/stop?wait=5')->code, 200, 'there is nothing to wait for');
    $answer = order($s, 'web/start');
    is($answer->code, 202, 'a start that is not waited for');
    like(decode($answer)->{state}, qr/^(?:STARTING|RUNNING|READY)$/,
         'it is on its way');
    ready($s, 'web');
    order($s, 'web/stop?wait=20');
    is(decode(order($s, 'web/restart?wait=20'))->{state}, 'READY',
       'a restart starts what is stopped');

    my $same = pid($s, 'web');
    is(order($s, 'nobody/start')->code, 404, 'an unknown name');
    is(order($s, "$_/start")->code, 404, "'$_' is none")
        for qw(WEB web%20 %2e%2e), 'x' x 63, 'x' x 64, 'x' x 200;
    is(order($s, "web/$_")->code, 404, "the unknown verb '$_'")
        for qw(kill START status shutdown start%00 restart/);
    my @html = (Accept => 'text/html,application/xhtml+xml,*/*;q=0.8');
    for my $path ('web', 'web/kill', 'web/restart/', "a%0ab/start\x{7f}") {
        $s->mark_log;
        $answer = order($s, $path);
        is($answer->code, 404, "'$path' is no order");
        is_deeply(decode($answer), { ok => JSON::PP::false, status => 404,
                                     error => 'there is no such order' },
                  "'$path': in JSON") if $path !~ /start/;
        is(scalar(() = $s->log_lines(REFUSED)), 1, "'$path': in the log");
    }
    like(order($s, 'web/kill', @html)->header('Content-Type'), qr{^text/html},
         'in HTML for a browser');
    for my $wait (qw(-1 601 1.5 5s x 99999999999999999999 0x1 +1),
                  '', '5&wait=5', '%35') {
        is(order($s, "web/restart?wait=$wait")->code, 400, "wait=$wait");
    }
    is(order($s, 'web/start?wait=0&x')->code, 202, 'wait=0 does not wait');
    is(order($s, 'web/start?wait=600')->code, 200, 'wait=600 may');
    is(pid($s, 'web'), $same, 'none of these did anything');

    $answer = order($s, 'web/start', @html);
    is($answer->code, 303, 'a browser is sent back');
    is($answer->header('Location'), '/on#managed-web', 'to the page');
    $answer = order($s, 'web/start?wait=0&history=day&filter=%0d%0aX:%20//x%26'
                        . '&refresh=-1&workers=//x/&//x', @html);
    is($answer->header('Location'),
       '/on?filter=%0D%0AX%3A+%2F%2Fx%26&history=day#managed-web',
       'as it was asked for, and nowhere else');
    $answer = $s->request(POST => '/on/processes/web/start', @html);
    is($answer->code, 403, 'or told');
    like($answer->header('Content-Type'), qr{^text/html}, 'in HTML');
    like($answer->content, qr{<a href="/on">}, 'with a way back');
    $answer = $s->request(POST => '/on/processes/web/start?refresh=5&filter="',
                          @html);
    like($answer->content, qr{<a href="/on\?refresh=5&amp;filter=%22">},
         'to the page as it was asked for');
    return;
}

# A client that waits ten minutes for "slow", once that runs and is not ready.
sub waiting_client {
    my ($s) = @_;
    my $token = token($s);
    unlink $s->path('work/slow.ready');
    my $client = AMGR::Request->new($s->port,
        "POST /on/processes/slow/restart?wait=600 HTTP/1.1\r\n"
        . "Host: localhost\r\nX-Manager-Token: $token\r\n"
        . "Connection: close\r\n\r\n");
    ok(wait_until(sub {
        $client->pump(0);
        return process($s, 'slow')->{state} eq 'RUNNING';
    }, SOON, 'it is started'), 'it is started');
    return $client;
}

# Not settled in time: as far as it is then.
sub waiting {
    my ($s) = @_;
    settle_slow($s);
    unlink $s->path('work/slow.ready');
    my $begun = time;
    my $answer = order($s, 'slow/restart?wait=1');
    my $took = time - $begun;
    is($answer->code, 202, 'it has not settled');
    like(decode($answer)->{state}, qr/^(?:STARTING|RUNNING)$/, 'as it is then');
    cmp_ok($took, '>=', 1, 'a second was waited');
    cmp_ok($took, '<', 8, 'and not much longer');
    is($s->get('/on/ready')->code, 503, 'not all are ready');
    # A stop ends the wait of a start.
    my $waiting = waiting_client($s);
    is(order($s, 'slow/stop?wait=20')->code, 200, 'it is stopped');
    $waiting->wait(SOON);
    like($waiting->bytes, qr{^HTTP/1\.1 20[02] },
         'whoever waited has an answer');
    is(process($s, 'slow')->{state}, 'STOPPED', 'and it is stopped');
    is($s->get('/on/ready')->code, 200, 'what is not wanted is not missed');
    return;
}

# A worker that is to end does not wait: a restart is not held up.
sub restarted {
    my ($s) = @_;
    my $waiting = waiting_client($s);
    my $pid = pid($s, 'slow');
    $s->graceful or return fail('graceful restart');
    $waiting->wait(SOON);
    like($waiting->bytes, qr{^HTTP/1\.1 202 }, 'a restart ends the wait');
    is(pid($s, 'slow'), $pid, 'and not the start');
    settle_slow($s);
    return;
}

# Nobody waits for a client that has gone.
sub hang_up {
    my ($s) = @_;
    $s->mark_log;
    my $gone = waiting_client($s);
    is(scalar(() = $s->log_lines(AUDIT)), 1, 'its order is known at once');
    is(scalar(() = $s->log_lines(OUTCOME)), 0, 'somebody waits');
    $gone->close_now;
    ok(wait_until(sub { $s->log_lines(OUTCOME) }, SOON, 'the end of the wait'),
       'a client that hangs up ends it');
    settle_slow($s);
    return;
}

# Whose connection has other requests too.
sub hang_up_http2 {
    my ($s) = @_;
    unlink $s->path('work/slow.ready');
    my $token = token($s);
    $s->mark_log;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        exec 'curl', '-q', '-s', '--noproxy', '*', '--http2-prior-knowledge',
            '-X', 'POST', '-H', "X-Manager-Token: $token",
            $s->url('/on/processes/slow/restart?wait=600')
            or POSIX::_exit(127);
    }
    ok(wait_until(sub {
        process($s, 'slow')->{state} eq 'RUNNING' && $s->log_lines(AUDIT);
    }, SOON, 'the order'), 'an order over HTTP/2');
    is(scalar(() = $s->log_lines(OUTCOME)), 0, 'somebody waits');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    ok(wait_until(sub { $s->log_lines(OUTCOME) }, SOON, 'the end of the wait'),
       'a client of HTTP/2 that hangs up ends it too');
    settle_slow($s);
    return;
}

# Its clients take any other answer than that of the end for a failure.
sub pymanager_waits {
    my ($s) = @_;
    unlink $s->path('work/slow.ready');
    my $client = AMGR::Request->new($s->{pym_port},
        "POST /restart/3 HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n");
    ok(wait_until(sub {
        $client->pump(0);
        return process($s, 'slow')->{state} eq 'RUNNING';
    }, SOON, 'it is started'), 'pymanager: it is started');
    $s->graceful or return fail('graceful restart');
    ok(!$client->wait(1), 'pymanager: a restart of httpd does not end the wait');
    settle_slow($s);
    ok($client->wait(SOON), 'but that it is ready does');
    is($client->status, 200, 'and it has succeeded') or diag($client->bytes);
    return;
}

# Many at a time are one, and never two copies.
sub coalesced {
    my ($s) = @_;
    my $token = token($s);
    my $before = process($s, 'other')->{starts};
    my @all = map {
        AMGR::Request->new($s->port,
            "POST /on/processes/other/restart?wait=60 HTTP/1.1\r\n"
            . "Host: localhost\r\nX-Manager-Token: $token\r\n"
            . "Connection: close\r\n\r\n");
    } 1 .. 50;
    $_->wait(60) for @all;
    my %codes;
    $codes{ ($_->bytes =~ m{^HTTP/1\.1 (\d+) })[0] // 'none' }++ for @all;
    is_deeply(\%codes, { 200 => 50 }, 'fifty restarts at a time');
    my $starts = process($s, 'other')->{starts} - $before;
    cmp_ok($starts, '>=', 1, 'it was restarted');
    cmp_ok($starts, '<', 50, 'not once for each');
    ok(!-s $s->path('work/copy'), 'there were never two');
    ready($s, 'other');
    return;
}

# Reading is for all users, ordering for some.
sub levels {
    my ($s) = @_;
    my %auth = map {
        $_ => 'Basic ' . encode_base64("$_:secret", '')
    } qw(reader admin);
    my @proof = (Origin => $s->url(''));
    my $start = '/levels/processes/web/start';
    is($s->get('/levels/processes')->code, 401, 'not for everybody');
    is($s->get('/levels/processes', Authorization => $auth{$_})->code, 200,
       "$_ reads") for sort keys %auth;
    is($s->request(POST => $start, @proof,
                   Authorization => $auth{reader})->code, 401,
       'a reader orders nothing');
    $s->mark_log;
    is($s->request(POST => $start, @proof,
                   Authorization => $auth{admin})->code, 202,
       'an administrator does');
    like(join("\n", $s->log_lines(AUDIT)), qr/: start web by user admin from /,
         'by name');
    $s->mark_log;
    is($s->request(POST => $start, Authorization => $auth{admin})->code, 403,
       'and needs a proof');
    like(join("\n", $s->log_lines(REFUSED)),
         qr/: start web by user admin from /, 'by name too');
    return;
}

# A person presses a button, and sees what comes of it.
sub buttons {
    my ($s) = @_;
    my $pid = pid($s, 'web');
    my $b = AMGR::Browser->new;
    $b->go($s->url('/manager-status'));
    ok($b->find('#managed-web'), 'the page shows them');
    ok(!$b->find('#managed-web button'), 'and has no buttons without control');
    $b->go($s->url('/on'));
    $b->click('#managed-web button[formaction$="/web/restart"]');
    ok(wait_until(sub { (pid($s, 'web') // $pid) != $pid }, SOON,
                  'another process'), 'its button restarts it');
    is($b->address, $s->url('/on#managed-web'), 'it is the page again');
    ready($s, 'web');
    $pid = pid($s, 'web');
    ok(wait_until(sub { ($b->text('#managed-web') // '') =~ /\b$pid\b/ }, SOON,
                  'the process on the page'), 'which keeps up with it');
    # The page is older than the server's last start, and its token too; its
    # script is not there to load it anew.
    $b->run('document.querySelector("#managed-web input").value = "0";');
    $b->click('#managed-web button[formaction$="/web/restart"]');
    ok(wait_until(sub {
        $b->text('body') =~ /its token is not this server/;
    }, SOON, 'a refusal'), 'it says why not');
    $b->click('a');
    ok(wait_until(sub { $b->address eq $s->url('/on') }, SOON, 'the page'),
       'and leads back');
    is(pid($s, 'web'), $pid, 'nothing happened');
    $b->stop_ok;
    return;
}

# A token is good until the server is restarted, in whatever way.
sub new_token {
    my ($s) = @_;
    my $old = token($s);
    my $pid = pid($s, 'web');
    $s->graceful or return fail('graceful restart');
    ok(wait_until(sub { token($s) ne $old }, SOON, 'a new token'),
       'a restart makes a new token');
    # Children of before may be there for a moment, with the old one.
    ok(wait_until(sub {
        $s->request(POST => '/on/processes/web/start',
                    'X-Manager-Token' => $old)->code == 403;
    }, SOON, 'the old token is refused'), 'the old one is refused');
    ok(wait_until(sub { order($s, 'web/start')->code == 202 }, SOON,
                  'the new token'), 'the new one is good');
    is(pid($s, 'web'), $pid, 'the process is the same');
    return;
}

# A supervisor that does not answer is asked once, and then not even that.
sub silent {
    my ($s) = @_;
    settle_slow($s);
    my $supervisor = $s->json('/on/processes')->{supervisor};
    my @token = ('X-Manager-Token' => token($s));
    ok(kill('STOP', $supervisor), 'the supervisor is stopped');
    my $begun = time;
    my $answer = $s->request(POST => '/on/processes/web/restart', @token);
    is($answer->code, 503, 'an order finds nobody');
    like($answer->header('Retry-After'), qr/^\d+$/, 'for now');
    cmp_ok(time - $begun, '<', 15, 'in time');
    ok(wait_until(sub { $s->get('/on/ready')->code == 503 }, SOON,
                  'nobody knows'), 'nothing is ready without it');
    $begun = time;
    is($s->request(POST => '/on/processes/web/restart', @token)->code, 503,
       'the next finds nobody');
    cmp_ok(time - $begun, '<', 2, 'and does not wait');
    is(pym($s, GET => '/status')->code, 200, 'pymanager has a word for it');
    kill 'CONT', $supervisor;
    ok(wait_until(sub { $s->get('/on/ready')->code == 200 }, SOON,
                  'it is back'), 'it is back');
    ready($s, qw(web other slow));
    return;
}

# ---- pymanager ------------------------------------------------------------

sub pymanager {
    my ($s) = @_;
    my $list = decode(pym($s, GET => '/'));
    is($list->{count}, 3, 'pymanager: three');
    my %by_id = map { $_->{id} => $_ } @{ $list->{processes} };
    is(join(' ', map { $_->{id} } @{ $list->{processes} }), '1 2 3',
       'in the order of the configuration');
    is_deeply($by_id{1}, { id => 1, command => '/bin/sleep',
                           status => 'running', pid => pid($s, 'web') },
              'one that runs');
    order($s, 'slow/stop?wait=20');
    my ($ended) = grep { $_->{id} == 3 }
        @{ decode(pym($s, GET => '/'))->{processes} };
    is_deeply($ended, { id => 3, command => '/bin/sleep',
                        status => 'terminated', code => -15 },
              'one that does not');
    is_deeply(decode(pym($s, GET => '/status')), { status => 'running' },
              'all of them');
    my $answer = pym($s, POST => '/restart/1');
    is($answer->code, 200, 'a restart');
    is($answer->header('Cache-Control'), 'no-store', 'for once');
    my $done = decode($answer);
    ok($done->{success}, 'it succeeds');
    isnt($done->{process}{pid}, $by_id{1}{pid}, 'it is another one');
    is_deeply($done->{process}, { id => 1, command => '/bin/sleep',
                                  status => 'running',
                                  pid => pid($s, 'web') }, 'as in the list');
    my $pid = pid($s, 'web');
    my %wrong = (
        '/restart/99' => [404, "Process with id '{0}' not found."],
        '/restart/0'  => [404, "Process with id '{0}' not found."],
        '/restart/-1' => [404, "Process with id '{0}' not found."],
        '/restart/x'  => [400, "Invalid ID 'x'."],
        '/restart/1x' => [400, "Invalid ID '1x'."],
    );
    for my $path (sort keys %wrong) {
        $s->mark_log;
        $answer = pym($s, POST => $path);
        like(($s->log_lines(REFUSED))[0] // '',
             qr/: restart \Q@{[ $path =~ s{.*\/}{}r ]}\E by user - .*: $wrong{$path}[0], (?!.*\{0\})/,
             "POST $path: in the log");
        is($answer->code, $wrong{$path}[0], "POST $path");
        is_deeply(decode($answer), { success => JSON::PP::false, error =>
                                     { message => $wrong{$path}[1] } },
                  "POST $path: its words");
    }
    is(pym($s, @$_)->code, 405, "@$_") for ['GET', '/restart/1'], ['POST', '/'],
        ['POST', '/status'], ['DELETE', '/status'], ['DELETE', '/restart/1'];
    is(pym($s, GET => $_)->code, 404, "nothing at $_")
        for qw(/processes /ready /status.json /metrics /restart /restart/
               /restart/1/2 /statusx /assets/page.css);
    is(pym($s, GET => '/page')->code, 200, 'the page may stand beside it');

    # No browser of a stranger gives orders here either.
    for (['another site', Origin => 'http://evil.example'],
         ['a name that leads here', Origin => 'http://evil.example',
          Host => 'evil.example'],
         ['another site, it says', 'Sec-Fetch-Site' => 'cross-site'],
         ['a link', Referer => 'http://evil.example/']) {
        my ($what, @headers) = @$_;
        for my $order ([POST => '/restart/1'], [DELETE => '/']) {
            $answer = pym($s, @$order, @headers);
            is($answer->code, 403, "@$order from $what");
            ok(!decode($answer)->{success}, "@$order from $what: no success");
        }
    }
    is(pid($s, 'web'), $pid, 'nothing happened');
    my $here = "http://127.0.0.1:$s->{pym_port}";
    is(pym($s, POST => '/restart/1', Origin => $here)->code, 200,
       'a page of this site may');
    $s->write('work/slow.ready', '');
    order($s, 'slow/start?wait=20');
    return;
}

# DELETE stops all of them, and httpd goes on.
sub shut_down {
    my ($s) = @_;
    my @pids = map { pid($s, $_) } qw(web other slow);
    my $token = token($s);
    my @token = ('X-Manager-Token' => $token);
    is($s->request(DELETE => '/on/processes?wait=x', @token)->code, 400,
       'wait=x');
    my $answer = $s->request(DELETE => '/on/processes?wait=30', @token);
    is($answer->code, 200, 'all are stopped');
    my $list = decode($answer);
    is($list->{application}, 'shutdown', 'it says so');
    is(join(' ', map { $_->{state} } @{ $list->{processes} }),
       'STOPPED STOPPED STOPPED', 'each of them');
    is(join(' ', grep { -e "/proc/$_" } @pids), '', 'they are gone');
    is_shut_down($s, @token);
    return;
}

sub pymanager_ends {
    my ($s) = @_;
    my @token = ('X-Manager-Token' => token($s));
    my @pids = map { pid($s, $_) } qw(web other);
    my $answer = pym($s, DELETE => '/');
    is($answer->code, 200, 'pymanager: all are to stop');
    is_deeply(decode($answer), { success => JSON::PP::true }, 'at once');
    is_deeply(decode(pym($s, GET => '/status')), { status => 'shutdown' },
              'and its state is known');
    ok(wait_until(sub { !grep { -e "/proc/$_" } @pids }, SOON, 'they are gone'),
       'they are gone');
    is_shut_down($s, @token);
    return;
}

sub is_shut_down {
    my ($s, @token) = @_;
    for my $order ([DELETE => '/on/processes'],
                   map { [POST => "/on/processes/web/$_"] }
                   qw(start stop restart)) {
        is($s->request(@$order, @token)->code, 403, "@$order after the end");
    }
    is($s->request(POST => '/on/processes/nobody/start', @token)->code, 404,
       'who never was is not there either');
    my $answer = $s->get('/on/ready');
    is($answer->code, 503, 'not ready');
    is(decode($answer)->{status}, 'shutdown', 'for good');
    is($s->json('/on/processes')->{count}, 3, 'they are still listed');
    for my $order ([GET => '/'], [DELETE => '/'], [POST => '/restart/1']) {
        $answer = pym($s, @$order);
        is($answer->code, 403, "pymanager: @$order");
        is(decode($answer)->{error}{message}, 'Process is in shutdown.',
           "pymanager: @$order: its words");
    }
    is_deeply(decode(pym($s, GET => '/status')), { status => 'shutdown' },
              'pymanager: its state');
    return;
}

1;
