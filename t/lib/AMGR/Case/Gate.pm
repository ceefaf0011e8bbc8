# SPDX-License-Identifier: Apache-2.0
#
# Gates: members of balancers and places that are kept shut while a managed
# process is not ready, although it may well listen.
package AMGR::Case::Gate;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use HTTP::Request ();
use JSON::PP ();

use constant {
    ROUNDS => 12, # requests after which each member has had its turn
    SOON   => 30,
};

# Says its name to whoever asks, and listens from the first moment.
my $backend = <<'END';
use strict;
use warnings;
use IO::Socket::INET;
my ($name, $port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
    Listen => 20, ReuseAddr => 1) or die "$port: $!\n";
while (1) {
    my $client = $listener->accept or next;
    my $request = <$client> // '';
    while (<$client>) { last if /^\r?\n$/ }
    my $status = $request =~ m{^GET /sick } ? '500 Sick' : '200 OK';
    print $client "HTTP/1.0 $status\r\nContent-Type: text/plain\r\n\r\n$name\n";
    close $client;
}
END

sub section {
    my ($s, $name, $lines) = @_;
    my $script = $s->path('work/backend.pl');
    return <<"END";
<ManagedProcess $name>
    Command "$^X" "$script" $name $s->{ports}{$name}
    PassEnv AMGR_TEST_SERVER
    RequireFree tcp://127.0.0.1:$s->{ports}{$name}
    Restart never
    $lines
</ManagedProcess>
END
}

sub config {
    my ($s) = @_;
    my %at = map { $_ => "http://127.0.0.1:$s->{ports}{$_}" } qw(one two);
    my $ready = AMGR::Managed::state_dir($s) . '/one.ready';
    return <<"END";
LoadModule member_module $s->{member}
<Location /member>
    SetHandler member
    Require local
</Location>
ManagerControl On
<Proxy balancer://shop>
    BalancerMember $at{one} retry=0
    BalancerMember $at{two} retry=0
</Proxy>
ProxyPass /shop/ balancer://shop/
LogLevel proxy_hcheck:debug
<Proxy balancer://well>
    BalancerMember $at{one} retry=0 hcmethod=TCP hcinterval=1 hcpasses=1
</Proxy>
<Proxy balancer://sick>
    BalancerMember $at{two} retry=0 hcmethod=GET hcuri=/sick hcinterval=1 hcfails=1
</Proxy>
<Proxy balancer://handled>
    BalancerMember $at{one} retry=0
</Proxy>
<Location /handled>
    SetHandler "proxy:balancer://handled"
</Location>
ProxyPass /well/ balancer://well/
ProxyPass /sick/ balancer://sick/
<Location /balancer-manager>
    SetHandler balancer-manager
    Require local
</Location>
<Location /place>
    ManagerGate one two
</Location>
<Location /place/always>
    ManagerGate Off
</Location>
Listen 127.0.0.1:$s->{ports}{host}
<VirtualHost 127.0.0.1:$s->{ports}{host}>
    ProxyPass /inherited/ balancer://shop/
</VirtualHost>
Listen 127.0.0.1:$s->{ports}{gated}
<VirtualHost 127.0.0.1:$s->{ports}{gated}>
    ManagerGate one
    ProxyPass /turned/away http://127.0.0.1:$s->{ports}{two}/
    <Location /turned>
        SetHandler manager-status
        Require local
    </Location>
    <Directory "@{[$s->path('htdocs')]}">
        RewriteEngine On
        RewriteRule ^turned/later http://127.0.0.1:$s->{ports}{two}/ [P]
    </Directory>
</VirtualHost>
@{[section($s, 'one', "Verify file $ready interval=100ms\n"
           . "    StartTimeout Off\n    Gate balancer://shop $at{one}\n"
           . "    Gate balancer://well $at{one}\n    Gate balancer://handled $at{one}")]}
@{[section($s, 'two', "Verify tcp 127.0.0.1:$s->{ports}{two} interval=100ms\n"
           . "    Gate balancer://shop $at{two}/\n"
           . "    Gate balancer://sick $at{two}")]}
END
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-gate", modules =>
        [qw(proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm
            proxy_hcheck rewrite)]);
    AMGR::Managed::prepare($s);
    $s->write('work/backend.pl', $backend);
    $s->{member} = $s->build_object('mod_member');
    for my $place (qw(place place/always)) {
        my $dir = $s->path("htdocs/$place");
        mkdir $dir or die "$dir: $!\n";
        $s->write("htdocs/$place/index.html", "here\n");
    }
    $s->{ports} = { map { $_ => AMGR::Httpd::free_port() } qw(one two host gated) };
    $s->set_config(config($s));
    # AH10187: balancer-manager, of an order that it then carries out.
    # AH01170: there is no other member that could serve.  The others: started
    # again, one is ready by its file before it listens.
    $s->expect_log(qr/AH10187: ignoring params in balancer-manager/,
                   qr/AH01170: balancer:\S+: All workers are in error state/,
                   qr/(?:AH00957|AH00959|AH01114): /,
                   qr/AMGR0034: process one: READY -> EXITED \(/);
    return $s->start;
}

# Who answers, and how often nobody does.
sub answers {
    my ($s, $url) = @_;
    my %count;
    for (1 .. ROUNDS) {
        my $answer = $s->agent->get($url // $s->url('/shop/'));
        my $who = $answer->code == 200 ? $answer->content : $answer->code;
        chomp $who;
        $count{$who}++;
    }
    return \%count;
}

sub only {
    my ($s, $who, $what) = @_;
    return is_deeply(answers($s), { $who => ROUNDS }, $what);
}

sub both {
    my ($s, $what) = @_;
    my $count;
    # Its file may say that it is ready before it listens.
    my $direct = "http://127.0.0.1:$s->{ports}{one}/";
    wait_until(sub { $s->agent->get($direct)->is_success }, SOON, 'it listens');
    ok(wait_until(sub { $count = answers($s); $count->{one} && $count->{two} },
                  SOON, 'both serve'), $what);
    return is($count->{one} + $count->{two}, ROUNDS, "$what, and nobody else");
}

# The children say it once together.
sub is_told {
    my ($s, $what) = @_;
    my $line = qr/:notice\] .*AMGR0043: process one: balancer:\/\/shop $what http:\/\/127\.0\.0\.1:$s->{ports}{one}$/;
    is(scalar(() = $s->log_lines($line)), 1, "$what: once in the log");
    $s->mark_log;
    return;
}

sub order {
    my ($s, $verb) = @_;
    my $token = $s->json('/manager-status/processes')->{token};
    my $answer = $s->request('POST', "/manager-status/processes/one/$verb"
                             . '?wait=20', 'X-Manager-Token' => $token);
    return $answer->code;
}

# balancer-manager's own form.
sub administer {
    my ($s, %fields) = @_;
    my $page = $s->get('/balancer-manager')->content;
    my ($nonce) = $page =~ /nonce=([-0-9a-f]{36})/ or die "no nonce: $page\n";
    my $body = join '&', map { "$_=$fields{$_}" } keys %fields;
    my $request = HTTP::Request->new(POST => $s->url('/balancer-manager'),
        [ Referer => $s->url('/balancer-manager'),
          'Content-Type' => 'application/x-www-form-urlencoded' ],
        "b=shop&w=http://127.0.0.1:$s->{ports}{one}&nonce=$nonce&$body");
    is($s->agent->request($request)->code, 200, 'balancer-manager: ' . $body);
    return;
}

sub members {
    my ($s) = @_;
    AMGR::Managed::wait_for($s, 'two', 'READY') or return;
    is(AMGR::Managed::wait_for($s, 'one', 'RUNNING')->{ready}, 0,
       'one runs, and is not ready');
    my $direct = $s->agent->get("http://127.0.0.1:$s->{ports}{one}/");
    is($direct->content, "one\n", 'although it would answer');
    is_deeply(answers($s, $s->url('/handled')), { 503 => ROUNDS },
              'a handler that proxies to it is kept out');
    only($s, 'two', 'its member of the balancer is kept out');
    is_told($s, 'keeps out');
    is_deeply(answers($s, "http://127.0.0.1:$s->{ports}{host}/inherited/"),
              { two => ROUNDS }, 'in a virtual host that inherits it as well');
    return;
}

# mod_proxy_hcheck finds for itself who is well: whoever is kept out by one of
# the two is out.
sub checked {
    my ($s) = @_;
    my $url = $s->url('/well/');
    my $others = answers($s, $url);
    my $checks = qr/AH03256: .*Health checking \S+:$s->{ports}{one}\b/;
    $s->mark_log;
    ok(wait_until(sub {
        my $answer = $s->agent->get($url);
        $others->{ $answer->code }++;
        return 3 <= (() = $s->log_lines($checks));
    }, SOON, 'three checks'), 'what is not ready passes checks');
    is(join(' ', keys %$others), 503, 'and is kept out all the same');
    return;
}

sub fails {
    my ($s) = @_;
    my $failed = qr/AH03303: .*DISABLING \S+:$s->{ports}{two}\b/;
    ok(wait_until(sub { $s->log_text =~ $failed }, SOON, 'a failed check'),
       'what is ready fails a check');
    return is_deeply(answers($s, $s->url('/sick/')), { 503 => ROUNDS },
                     'and is not let in');
}

sub place {
    my ($s) = @_;
    my $answer = $s->get('/place/');
    is($answer->code, 503, 'a place that needs it is shut');
    like($answer->header('Retry-After') // '', qr/^(?:[1-9]|[1-5]\d|60)$/,
         'and says when to come back');
    is($s->get('/place/always/')->code, 200, 'Off opens it within');
    return;
}

# Of a virtual host that is shut as a whole the page tells why; where its handler
# is set for what another serves, that is shut.
sub pages {
    my ($s) = @_;
    my $url = "http://127.0.0.1:$s->{ports}{gated}";
    my $code = sub { $s->agent->get("$url$_[0]")->code };
    is($code->($_), 503, "$_ of a host that needs it is shut")
        for qw(/ /index.html /elsewhere /place/ /turned/away /turned/later
               /turned?member);
    is($code->($_), 200, "but not $_")
        for '/place/always/', '/turned', map { "/manager-status$_" }
            '', qw(?auto /status.json /processes /metrics /assets/page.css);
    my $ready = $s->agent->get("$url/manager-status/ready");
    is(JSON::PP::decode_json($ready->content)->{status}, 'starting',
       'nor does the gate answer for /ready');
    my $token = JSON::PP::decode_json(
        $s->agent->get("$url/manager-status/processes")->content)->{token};
    my $order = HTTP::Request->new(
        POST => "$url/manager-status/processes/two/start",
        ['X-Manager-Token' => $token]);
    is($s->agent->request($order)->code, 202, 'and orders are taken');
    return;
}

sub opens {
    my ($s) = @_;
    $s->write('state/one.ready', '');
    AMGR::Managed::wait_for($s, 'one', 'READY');
    is_deeply(answers($s, $s->url('/handled')), { one => ROUNDS },
              'a handler that proxies to it is let in when it is ready');
    is_deeply(answers($s, $s->url('/sick/')), { 503 => ROUNDS },
              'another that fails checks is still out');
    both($s, 'one is let in when it is ready');
    is_told($s, 'lets in');
    is_deeply(answers($s, $s->url('/well/')), { one => ROUNDS },
              'also where it is checked');
    is($s->get('/place/')->code, 200, 'the place is open');
    for (qw(/index.html /turned/away /turned/later /turned?member)) {
        is($s->agent->get("http://127.0.0.1:$s->{ports}{gated}$_")->code, 200,
           "$_ is open");
    }
    ok($s->graceful, 'graceful restart');
    both($s, 'both serve after it');
    is($s->get('/place/')->code, 200, 'the place is still open');
    return;
}

sub closes {
    my ($s) = @_;
    my $pid = AMGR::Managed::one($s, 'one')->{pid};
    kill 'KILL', $pid;
    AMGR::Managed::wait_for($s, 'one', 'EXITED');
    only($s, 'two', 'one is out as soon as it is known to be gone');
    is_told($s, 'keeps out');
    is($s->get('/place/')->header('Retry-After'), 60,
       'what is not started again is not soon there');
    ok($s->graceful, 'graceful restart');
    only($s, 'two', 'it is still out after it');
    is(order($s, 'start'), 200, 'it is started by an order');
    both($s, 'and let in');
    return;
}

sub keeps_orders {
    my ($s) = @_;
    administer($s, w_status_D => 1);
    only($s, 'two', 'what an administrator has disabled is out');
    is(order($s, 'restart'), 200, 'restart');
    AMGR::Managed::wait_for($s, 'one', 'READY');
    only($s, 'two', 'and stays so when its process gets ready');
    administer($s, w_status_D => 0);
    both($s, 'until it is enabled');
    return;
}

# What mod_proxy does to a member at the very moment may undo what the gate does.
sub undone {
    my ($s) = @_;
    my $port = $s->{ports}{one};
    is($s->get("/member?shut=:$port")->content, "3\n", 'one is shut by mistake');
    both($s, 'and let in by the next request');
    is(order($s, 'stop'), 200, 'one is stopped');
    only($s, 'two', 'one is out');
    is($s->get("/member?open=:$port")->content, "3\n", 'it is let in by mistake');
    only($s, 'two', 'and out with the next request');
    is(order($s, 'start'), 200, 'one is started');
    return both($s, 'one is in again');
}

# Where mod_proxy keeps what members are over restarts.
sub removed {
    my ($s) = @_;
    my $config = config($s) . "BalancerPersist On\n";
    $s->set_config($config);
    ok($s->graceful, 'graceful restart with BalancerPersist');
    is(order($s, 'stop'), 200, 'one is stopped');
    only($s, 'two', 'and out');
    $s->set_config($config =~ s{Gate balancer://shop \S+:$s->{ports}{one}\n}{}r);
    ok($s->graceful, 'graceful restart without its gate');
    is(order($s, 'start'), 200, 'one is started');
    return both($s, 'nothing keeps it out any more');
}

sub wrong {
    my ($s) = @_;
    my %config = (
        'ManagerGate three'  => qr/ManagerGate: 'three' is not valid \(/,
        'ManagerGate one Off' => qr/ManagerGate: 'Off' is not valid/,
        "<Location /x>\n<Limit GET>\nManagerGate one\n</Limit>\n</Location>"
            => qr/ManagerGate cannot occur within <Limit>/,
    );
    for my $lines (sort keys %config) {
        my ($out, $status) = $s->config_error(config($s) . $lines);
        ok($status != 0 && $out =~ $config{$lines}, $lines =~ s/\n/ /gr)
            or diag($out);
    }
    my $member = "http://127.0.0.1:$s->{ports}{host}";
    $s->set_config(config($s) . "<ManagedProcess three>\n"
        . "Command /bin/sleep 1000\nPassEnv AMGR_TEST_SERVER\n"
        . "Gate balancer://shop $member\n</ManagedProcess>\n");
    $s->expect_log(qr/AMGR0043: process three: Gate: balancer:\S+ has no member/);
    ok($s->graceful, 'graceful restart');
    ok(wait_until(sub { $s->log_text =~ /AMGR0043: process three/ }, SOON,
                  'a line of it'), 'a gate for no member is told of');
    return;
}

# Whoever was loaded last registers what is registered while directives are
# read, as far as APR knows.
sub proxy_last {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-proxy-last");
    my ($out, $status) = $s->config_error(
        AMGR::Httpd::load_line('proxy') . "<ManagedProcess one>\nCommand /bin/true\n"
        . "</ManagedProcess>\n<Location /place>\nManagerGate one\n</Location>");
    is($status, 0, 'mod_proxy may be the last module') or diag($out);
    return;
}

sub run {
    my ($mpm) = @_;
    proxy_last($mpm);
    my $s = server($mpm);
    members($s);
    checked($s);
    fails($s);
    place($s);
    pages($s);
    opens($s);
    closes($s);
    keeps_orders($s);
    undone($s);
    removed($s);
    wrong($s);
    $s->stop_ok;
    done_testing();
    return;
}

1;
