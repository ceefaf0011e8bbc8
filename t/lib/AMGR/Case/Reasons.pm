# SPDX-License-Identifier: Apache-2.0
#
# Reasons to retire besides one memory limit and time: the hard limit, the
# total, requests, lifetime, old generations, and limits of groups.
package AMGR::Case::Reasons;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use List::Util qw(max sum0 uniqnum);
use Time::HiRes qw(time);

use constant MB => 1024 * 1024;

*grow_up  = \&AMGR::Case::Retire::grow_up;
*leak     = \&AMGR::Case::Retire::leak;
*gone     = \&AMGR::Case::Retire::gone;
*record   = \&AMGR::Case::Retire::record;
*pid_of   = \&AMGR::Case::Retire::pid_of;
*all_live = \&AMGR::Case::Retire::all_live;

sub run {
    my ($mpm) = @_;
    my @lives = recycling_begin($mpm);
    hard($mpm);
    total($mpm);
    generation($mpm);
    groups($mpm);
    daemons($mpm);
    recycling_end(@lives);
    done_testing();
    return;
}

sub server {
    my ($mpm, $limits, $name, %more) = @_;
    return AMGR::Case::Retire::server($mpm, $limits, name => "$mpm-$name",
                                      %more);
}

sub valid {
    my ($s) = @_;
    return is_deeply([schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        $s->name . ': status.json obeys its schema');
}

# All that this server has ended so far.
sub ended {
    my ($s) = @_;
    return grep { $_->{action} ne 'none' } @{ $s->json->{kills} };
}

# The counters agree with the records: who was idle counts as idle.
sub counted {
    my ($s) = @_;
    my ($json, @records);
    # One may be retired between the two.
    my $agree = wait_until(sub {
        $json = $s->json;
        @records = @{ $json->{kills} };
        my $active = grep { $_->{active} } @records;
        $json->{manager}{killed_active} == $active
            && $json->{manager}{killed_idle} == @records - $active;
    }, 30, 'counters that agree with the records');
    return ok($agree, $s->name . ': active and idle are counted apart');
}

# ---- the hard limit --------------------------------------------------------

sub hard {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerHardMemory 300M\nManagerStrikes 1000\n"
                   . 'ManagerMaxMemoryIdle 150M', 'hard');
    grow_up($s);
    my @before = $s->children;
    my $big = $s->start_request('/app/big?mb=350&s=60');
    ok($big->wait(30), "$mpm: a request over the hard limit ends");
    isnt($big->status // 'none', 200, 'unanswered');
    cmp_ok($big->took, '<', 30, 'at once, though it was seen only once');
    # The client sees the end before whoever reads the board.
    my $pid = wait_until(sub { (map { $_->{pid} } ended($s))[0] }, 30,
                         'a record');
    my $r = record($s, $pid // 0);
    is($r->{reason}, 'memory_hard', 'reason');
    ok($r->{active}, 'active');
    is($r->{limit}, 300 * MB, 'limit');
    cmp_ok($r->{measured}, '>', 300 * MB, 'measured');
    is($r->{action}, 'kill', 'without asking');
    is($r->{outcome}, 'gone', 'outcome');
    all_live("$mpm: nobody else", grep { $_ != $r->{pid} } @before);
    is(scalar(my @l = $s->log_lines(
        qr/native worker $r->{pid} \(active\) using .* over ManagerHardMemory 314572800 bytes/)),
       1, "$mpm: the line of the log") or diag($s->log_lines(qr/Kill/));
    is($s->json->{limits}{hard_memory_bytes}, 300 * MB, 'shown');
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

# ---- the total -------------------------------------------------------------

sub total {
    my ($mpm) = @_;
    # At the second of two ticks nobody runs a request any more.
    my $s = server($mpm, "ManagerMaxMemoryTotal 400M\nManagerStrikes 2",
                   'total');
    grow_up($s);
    my @before = $s->children;
    my %kept;
    $kept{ leak($s, 50) } += 50 for 1 .. 6;
    is($s->data->{'workers-killed-idle'}, 0, 'nobody while there is room');
    my $anon = $s->json->{server}{worker_anon_bytes};
    cmp_ok($anon, '>', 0, 'the sum is shown');
    $kept{ leak($s, 130) } += 130;
    # Not by asking pages: who answers has a request.
    ok(wait_until(sub { $s->data->{'workers-killed-idle'} > 0 }, 30,
                  'a retirement'), "$mpm: the total is kept");
    my ($pid) = map { $_->{pid} } ended($s);
    my $r = record($s, $pid // 0);
    is($r->{reason}, 'memory_total', 'reason');
    is($r->{limit}, 400 * MB, 'limit');
    cmp_ok($r->{measured}, '>', 400 * MB, 'measured: the sum');
    ok(!$r->{active}, 'idle');
    is($kept{ $r->{pid} } // 0, max(values %kept),
       "$mpm: the biggest idle one goes") or diag(explain(\%kept));
    gone($s, $r->{pid}, 30, 'and is gone');
    ok($s->wait_ticks(3), 'three more ticks');
    is(scalar(my @all = ended($s)), 1, 'no more than needed');
    all_live("$mpm: nobody else", grep { $_ != $r->{pid} } @before);
    cmp_ok($s->json->{server}{worker_anon_bytes}, '<=', 400 * MB,
           'the sum is below');
    is(scalar(my @l = $s->log_lines(
        qr/native worker $r->{pid} \(idle\) using .* over ManagerMaxMemoryTotal/)),
       1, "$mpm: the line of the log");
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

# ---- requests and lifetime -------------------------------------------------

# Lives end by themselves while other parts run.
sub recycling_begin {
    my ($mpm) = @_;
    my $requests = server($mpm, "ManagerMaxRequests 400 90%\n"
                          . 'ManagerMaxMemoryTotal 99%', 'requests');
    my $life = server($mpm, "ManagerMaxLifetime 8s 50%\nManagerStormLimit 2 1h",
                      'lifetime');
    grow_up($requests);
    return { mpm => $mpm, requests => $requests, life => $life,
             begun => time, first => [$life->workers] };
}

sub recycling_end {
    my ($lives) = @_;
    requests($lives->{mpm}, $lives->{requests});
    lifetime($lives->{mpm}, $lives->{life}, $lives->{first});
    return;
}

sub requests {
    my ($mpm, $s) = @_;
    my $ask = "GET / HTTP/1.1\r\nHost: localhost\r\n";
    my $fifty = ("$ask\r\n" x 49) . "${ask}Connection: close\r\n\r\n";
    my $answered = 0;
    my @wrong;
    my $enough = wait_until(sub {
        my $bytes = $s->raw($fifty);
        my $ok = () = $bytes =~ m{^HTTP/1\.1 200 }mg;
        $answered += $ok;
        ended($s) >= 7;
    }, 90, 'seven retirements');
    ok($enough, "$mpm: workers are recycled");
    my @records = grep { $_->{outcome} eq 'gone' } ended($s);
    cmp_ok(scalar @records, '>=', 6, 'and gone');
    is(scalar(grep { $_->{reason} ne 'requests' } @records), 0, 'reason');
    is(scalar(grep { $_->{limit} < 40 || $_->{limit} > 400 } @records), 0,
       'each limit is within the jitter');
    is(scalar(grep { $_->{measured} <= $_->{limit} } @records), 0,
       'each was over its own');
    my @limits = uniqnum map { $_->{limit} } @records;
    cmp_ok(scalar @limits, '>=', 4, "$mpm: which differ") or diag("@limits");
    cmp_ok($answered, '>', 240, 'and nothing hinders the others');
    is(scalar(my @storm = $s->log_lines(qr/AMGR0005/)), 0,
       "$mpm: recycling is no storm");
    my $json = $s->json;
    is($json->{limits}{max_requests}, 400, 'shown');
    is($json->{limits}{max_requests_jitter_percent}, 90, 'with its jitter');
    my $capacity = $json->{server}{memory_capacity_bytes};
    cmp_ok($capacity // 0, '>', 10 * MB, 'what memory there is');
    cmp_ok(abs($json->{limits}{max_memory_total_bytes} - $capacity * 0.99),
           '<', 200, 'and a part of it');
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

sub lifetime {
    my ($mpm, $s, $first) = @_;
    ok(wait_until(sub { ended($s) >= 4 }, 60, 'four ends'),
       "$mpm: lives are bound");
    gone($s, $_, 30, "$mpm: $_ has lived") for @$first;
    my @records = ended($s);
    is(scalar(grep { $_->{reason} ne 'lifetime' } @records), 0, 'reason');
    is(scalar(grep { $_->{limit} < 4 || $_->{limit} > 8 } @records), 0,
       'each limit is within the jitter');
    is(scalar(grep { $_->{measured} <= $_->{limit} } @records), 0,
       'each had lived for longer');
    my @limits = uniqnum map { $_->{limit} } @records;
    is(scalar @limits, scalar @records, "$mpm: all differ");
    is(scalar(my @storm = $s->log_lines(qr/AMGR0005/)), 0,
       "$mpm: nor is this a storm");
    is($s->get('/')->code, 200, 'it serves all the while');
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

# ---- old generations -------------------------------------------------------

sub generation {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxGenerationAge 2s\nManagerMinAge 1h\n"
                   . "ManagerMinServing 100\nManagerMaxRetiring 1",
                   'generation');
    my $long = $s->start_request('/app/sleep?s=120');
    my $holder = wait_until(sub {
        my ($found) = grep { grep { ($_->{request} // '') =~ m{/app/sleep}
                                    && $_->{mode} eq 'W' } @{ $_->{slots} } }
            @{ $s->json->{processes} };
        $found && $found->{pid};
    }, 30, 'the long request');
    ok($holder, 'a worker is held by a long request') or return;
    ok($s->wait_ticks(6), 'and lives as long as nobody restarts');
    my $begun = time;
    ok($s->graceful, 'a graceful restart');
    ok(!$long->done && AMGR::Httpd::is_alive($holder),
       'which leaves it alone');
    gone($s, $holder, 30, "$mpm: the old worker is ended");
    cmp_ok(time - $begun, '>=', 2, 'not before its time');
    ok($long->wait(30), 'with its request');
    isnt($long->status // 'none', 200, 'unanswered');
    my $r = record($s, $holder);
    is($r->{reason}, 'generation', 'reason');
    is($r->{limit}, 2, 'limit');
    cmp_ok($r->{measured}, '>', 2, 'measured');
    is($r->{outcome}, 'gone', 'outcome');
    is($r->{action}, 'kill', 'without asking again');
    is($r->{requests}, 1, 'what it cost');
    my @now = grep { $_ != $holder } $s->workers;
    ok($s->wait_ticks(4), 'four ticks');
    all_live("$mpm: nobody of the new generation", @now);
    is(scalar(my @l = $s->log_lines(
        qr/native worker $holder \(active\) outliving its generation for [\w ]+ \(GET .* over ManagerMaxGenerationAge 2s/)),
       1, "$mpm: the line of the log") or diag($s->log_lines(qr/Kill/));
    valid($s);
    $s->stop_ok;
    return;
}

# ---- groups ----------------------------------------------------------------

sub groups {
    my ($mpm) = @_;
    my $daemons = join '', map {
        "WSGIDaemonProcess $_ processes=1 threads=3 display-name=%{GROUP} home=/\n"
        . "WSGIScriptAlias /$_ SCRIPT process-group=$_\n"
    } qw(alpha beta);
    # The strikes are for a tick in the middle of the leak.
    my $s = server($mpm, <<'END', 'groups', config => $daemons, min_age => '1s');
ManagerMaxMemoryActive 150M
ManagerStrikes 4
<ManagerGroup beta>
    ManagerMaxMemoryActive 400M
    ManagerHardMemory 600M
    ManagerAskSignal TERM
    ManagerGracePeriod 1m
</ManagerGroup>
<ManagerGroup native>
    ManagerMaxMemoryActive Off
    ManagerMaxMemoryIdle 150M
</ManagerGroup>
<ManagerGroup gamma>
    ManagerMaxMemoryActive 1M
</ManagerGroup>
END
    $s->expect_log(qr/AMGR0023: /, qr/\[wsgi:(?:error|warn)\]/);
    my @warned = $s->log_lines(qr/AMGR0023: <ManagerGroup gamma> is for nobody/);
    cmp_ok(scalar @warned, '>=', 1, 'a section for nobody is a warning');
    grow_up($s);
    my %pid = map { $_ => pid_of($s->get("/$_/pid")->content) }
        qw(alpha beta);
    is(leak($s, 200, 'beta'), $pid{beta}, 'beta leaked');
    is(leak($s, 200, 'alpha'), $pid{alpha}, 'alpha leaked');
    gone($s, $pid{alpha}, 30, "$mpm: alpha is over the server's limit");
    is(record($s, $pid{alpha})->{limit}, 150 * MB, 'which is its');
    ok($s->wait_ticks(6), 'more ticks than strikes');
    all_live("$mpm: beta is below its own", $pid{beta});
    is(leak($s, 250, 'beta'), $pid{beta}, 'beta leaked more');
    gone($s, $pid{beta}, 30, "$mpm: beta is over its own");
    my $r = record($s, $pid{beta});
    is($r->{limit}, 400 * MB, 'limit');
    is($r->{reason}, 'memory_active', 'reason');
    is($r->{group}, 'beta', 'group');
    is($r->{action}, 'ask', 'it was asked');
    my $native = leak($s, 200);
    gone($s, $native, 30, "$mpm: workers have an idle limit of their own");
    $r = record($s, $native);
    is($r->{reason}, 'memory_idle', 'reason');
    is($r->{limit}, 150 * MB, 'limit');
    my $json = $s->json;
    my %shown = map { $_->{name} => $_ } @{ $json->{limits}{groups} };
    is(join(' ', sort keys %shown), 'beta gamma native', 'sections are shown');
    is($shown{beta}{max_memory_active_bytes}, 400 * MB, 'with their own');
    is($shown{beta}{ask_signal}, 'TERM', 'asked in a way of its own');
    is($shown{gamma}{ask_signal}, 'USR1', 'or in the usual one');
    is($shown{beta}{grace_period_seconds}, 60, 'with a grace of its own');
    is($shown{gamma}{grace_period_seconds},
       $json->{limits}{grace_period_seconds}, "or the server's");
    is($shown{gamma}{hard_memory_bytes}, undef, 'and what they inherit');
    is($shown{native}{max_memory_active_bytes}, undef, 'Off is their own too');
    like($s->get('/manager-status')->content,
         qr{Groups with limits of their own.*<td class="num">400M</td>}s,
         'on the page as well');
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

# Other forks of httpd, when a section is for them; programs and our own
# ticker never.
sub daemons {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxLifetime 1d\n<ManagerGroup daemon>\n"
                   . "ManagerMaxLifetime 4s 0%\n</ManagerGroup>", 'daemons',
                   modules => ['cgid'],
                   config => qq(CustomLog "||/bin/cat" "%h"\n));
    $s->expect_log(qr/cgid/);
    my $role = sub {
        my ($group) = @_;
        return map { $_->{pid} } grep { $_->{group} eq $group }
            @{ $s->json->{processes} };
    };
    my ($cgid, $logger);
    ok(wait_until(sub {
        ($cgid) = $role->('daemon');
        ($logger) = $role->('program');
        $cgid && $logger;
    }, 30, 'a daemon and a logger'), 'a daemon and a logger') or return;
    my ($ticker) = $s->ticker_pid;
    my @workers = $s->workers;
    gone($s, $cgid, 30, "$mpm: the daemon has lived");
    my $r = record($s, $cgid);
    is($r->{reason}, 'lifetime', 'reason');
    is($r->{role}, 'daemon', 'role');
    is($r->{group}, 'daemon', 'group');
    is($r->{action}, 'ask', 'by asking');
    ok($r->{active}, 'counted as active');
    ok(wait_until(sub { grep { $_ != $cgid } $role->('daemon') }, 30,
                  'another daemon'), "$mpm: httpd starts another");
    all_live("$mpm: loggers, ticker and workers live on", $logger, $ticker,
             @workers);
    counted($s);
    valid($s);
    $s->stop_ok;
    return;
}

1;
