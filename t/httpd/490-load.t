#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The load client tells the truth: against a server that misbehaves as it is
# asked to, everything is counted as what it is; against an httpd whose workers
# are killed, requests are lost.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use AMGR::Rogue;
use Apache::Test qw(-withtestmore);

my $rogue = AMGR::Rogue->start;

# Twenty requests for one path, and what is counted of them.
sub load_of {
    my ($path, %opt) = @_;
    return AMGR::Load->start(port => $rogue->port, requests => 20,
                             seed => 7, timeout_ms => 5000, keep => 3,
                             mix => ["1:$path"], %opt)->result;
}

my %all = map { $_ => 0 }
    qw(connect tls reset eof truncated status framing body timeout);

sub counted {
    my ($path, $want, %opt) = @_;
    my $r = load_of($path, %opt);
    my $hard = 0;
    $hard += $want->{$_} // 0 for keys %all;
    is_deeply($r->{hard}, { %all, total => $hard, %{ $want->{hard} // {} },
                            map { $_ => $want->{$_} }
                            grep { exists $all{$_} } keys %$want },
              "$path: hard failures") or diag(AMGR::Load->lost($r));
    is($r->{ok}, 20 - $hard, "$path: the others are answered");
    is($r->{requests}, 20, "$path: each request counts once");
    for my $key (grep { !exists $all{$_} } sort keys %$want) {
        is($r->{$key}, $want->{$key}, "$path: $key");
    }
    return $r;
}

# ---- what is right ---------------------------------------------------------

counted('/fine', { stale => 0, idle_closed => 0, connections => 3,
                   said_close => 0 });
counted('/fine', { stale => 0, connections => 20 }, keep => 0, fresh => 2);
counted('/chunked', { stale => 0, connections => 3 });
counted('/drip', { stale => 0, connections => 3 });
counted('/known#5:3610a686', { stale => 0 });
counted('/last', { stale => 0, connections => 20, said_close => 20 });
# A pause after each but the last: the server hangs up before it is over.
counted('/idle', { stale => 0, idle_closed => 19, connections => 20 },
        keep => 0, think => 1, think_ms => 250);

# ---- what is stale: asked again and answered -------------------------------

# Every second request of a connection is met with its end.
for my $how (qw(eof reset)) {
    my $r = counted("/stale-$how", {}, keep => 1);
    is($r->{stale}, 19, "/stale-$how: stale");
    is($r->{connections}, 20, "/stale-$how: a connection for each again");
}

# ---- what is lost ----------------------------------------------------------

my @lost = (
    ['/eof'               => 'eof'],
    ['/reset'             => 'reset'],
    ['/truncated'         => 'truncated'],
    ['/truncated-head'    => 'truncated'],
    ['/truncated-chunked' => 'truncated'],
    ['/truncated-end'     => 'truncated'],
    ['/truncated-reset'   => 'truncated'],
    ['/status'            => 'status'],
    ['/nolength'          => 'framing'],
    ['/both'              => 'framing'],
    ['/long'              => 'framing'],
    ['/badchunk'          => 'framing'],
    ['/http10'            => 'framing'],
    ['/garbage'           => 'framing'],
    ['/wrong'             => 'body'],
    ['/short'             => 'body'],
    ['/other'             => 'body'],
    ['/unknown'           => 'body'],
    ['/known#5:00000000'  => 'body'],
    ['/known#6:3610a686'  => 'body'],
);
for my $case (@lost) {
    my ($path, $kind) = @$case;
    my $r = counted($path, { $kind => 20, stale => 0 });
    is(scalar @{ $r->{failures} }, 20, "$path: each is described");
    my ($first) = @{ $r->{failures} };
    is($first->{kind}, $kind, "$path: as $kind");
    (my $plain = $path) =~ s/#.*//;
    is($first->{path}, $plain, "$path: with its path");
}
is((load_of('/truncated'))->{failures}[0]{bytes} > 50, 1,
   'and with the bytes that came');
counted('/silent', { timeout => 20 }, timeout_ms => 100);
# The second time, and over a fresh connection, it is lost indeed.
counted('/stale-twice', { eof => 10, stale => 10 }, keep => 1);

my $closed = AMGR::Httpd::free_port();
is(AMGR::Load->start(port => $closed, requests => 20, keep => 2,
                     mix => ['1:/'])->result->{hard}{connect}, 20,
   'a refused connection');
counted('/fine', { tls => 20 }, tls => 1);

# ---- progress --------------------------------------------------------------

my $load = AMGR::Load->start(port => $rogue->port, think => 2, think_ms => 20,
                             mix => ['3:/fine', '1:/chunked']);
my $r = $load->wait_for(20, 20);
ok($r && !$r->{final}, 'a report so far');
cmp_ok($load->wait_for(40, 20)->{requests}, '>', $r->{requests}, 'and later');
$r = $load->stop;
ok($r->{final}, 'the last one');
is($r->{requests}, $r->{begun}, 'what had begun was ended');
is($r->{paths}[0]{ok} + $r->{paths}[1]{ok}, $r->{ok}, 'each path is counted');
cmp_ok($_->{ok}, '>', 0, "$_->{path} was asked for") for @{ $r->{paths} };
cmp_ok($r->{latency_us}{p50}, '<=', $r->{latency_us}{p99}, 'p50 and p99');
cmp_ok($r->{latency_us}{p99}, '<=', $r->{latency_us}{max}, 'p99 and max');
$rogue->stop;

# ---- a real server ---------------------------------------------------------

for my $mpm (AMGR::Httpd::mpms()) {
    my $s = AMGR::Httpd->new(mpm => $mpm, modules => ['wsgi'], manager => 0,
                             location => 0, name => "$mpm-killed");
    my $script = $s->wsgi_script;
    $s->set_config("WSGIScriptAlias /app $script\n");
    $s->start;
    my @mix = ('4:/app/pid', '1:/app/body?n=20000&s=0.2&chunked=1');
    my $fine = AMGR::Load->start(port => $s->port, keep => 4, fresh => 4,
                                 requests => 300, mix => \@mix)->result;
    is($fine->{hard}{total}, 0, "$mpm: nothing is lost when nothing is done")
        or diag(AMGR::Load->lost($fine));
    my $load = AMGR::Load->start(port => $s->port, keep => 4, fresh => 4,
                                 mix => \@mix);
    my $killed = 0;
    my $lost = wait_until(sub {
        my ($victim) = $s->children;
        my $ended = kill 'KILL', $victim;
        $killed += $ended;
        $load->wait_for($load->progress->{requests} + 50, 20);
        $load->progress->{hard}{total};
    }, 30, 'a lost request');
    ok($lost, "$mpm: killing workers loses requests");
    $load->stop;
    ok($s->get('/app/pid')->is_success, "$mpm: it serves again");
    note("$mpm: $lost lost in $killed kills");
    $s->stop_ok;
}
done_testing();
