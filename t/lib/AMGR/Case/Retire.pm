# SPDX-License-Identifier: Apache-2.0
#
# Workers over their limits end, all others live; log, counters, records and
# data file tell one story.
package AMGR::Case::Retire;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use List::Util qw(first);
use Time::HiRes qw(sleep time);

use constant {
    INTERVAL_SEC => 0.5,
    # Two intervals are what is promised; the rest is the machine's.
    SLACK_SEC    => 12,
    MB           => 1024 * 1024,
};

sub run {
    my ($mpm) = @_;
    my $hook = hook_begin($mpm);
    idle($mpm);
    active($mpm);
    age($mpm);
    dry_run($mpm);
    wsgi($mpm);
    hook_end($hook);
    done_testing();
    return;
}

# A server with the leaking application at /app.  Where daemons of mod_wsgi are
# to be known by their titles, min_age is a second: nobody looks at them before.
sub server {
    my ($mpm, $limits, %more) = @_;
    my $min_age = delete $more{min_age} // '200ms';
    my $s = AMGR::Httpd->new(mpm => $mpm,
                             interval => int(INTERVAL_SEC * 1000) . 'ms',
                             %more, modules => ['wsgi',
                             @{ $more{modules} // [] }]);
    my $script = $s->wsgi_script;
    $s->{config} .= "ManagerMinAge $min_age\n$limits\n"
        . "WSGIScriptAlias /app $script\n";
    $s->{config} =~ s/SCRIPT/$script/g;
    return $s->start;
}

# Until every worker is old enough to be retired.
sub grow_up {
    my ($s) = @_;
    ok(wait_until(sub {
        my $json = $s->json;
        my $age = $json->{limits}{min_age_seconds} + 0.2;
        $json->{tick_time} && !grep { ($_->{age_seconds} // 0) < $age }
            @{ $json->{processes} };
    }, 30, 'workers of some age'), $s->name . ': workers of some age');
    return;
}

sub pid_of { my ($text) = @_; return $text =~ /^pid=(\d+)/ ? $1 : undef }

sub leak {
    my ($s, $mb, $app) = @_;
    my $answer = $s->get('/' . ($app // 'app') . "/leak?mb=$mb");
    is($answer->code, 200, "$mb MB leaked") or diag($answer->as_string);
    return pid_of($answer->content);
}

sub gone {
    my ($s, $pid, $timeout, $what) = @_;
    return ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, $timeout,
                         "the end of $pid"), $what);
}

sub all_live {
    my ($what, @pids) = @_;
    my @dead = grep { !AMGR::Httpd::is_alive($_) } @pids;
    return is("@dead", '', $what);
}

# The record of this process, once its end was seen.
sub record {
    my ($s, $pid) = @_;
    my $record;
    wait_until(sub {
        ($record) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
        $record && $record->{outcome} ne 'pending';
    }, 30, "a finished record of $pid");
    ok($record, "there is a record of $pid") or return {};
    return $record;
}

# Everything that counts agrees: counters, log, data file.
sub counted {
    my ($s, %want) = @_;
    my $name = $s->name;
    my $json = $s->json;
    for my $kind (qw(active idle)) {
        is($json->{manager}{"killed_$kind"}, $want{$kind} // 0,
           "$name: killed_$kind");
        my $key = "workers-killed-$kind";
        my $value = wait_until(sub {
            my $found = $s->data->{$key};
            defined $found && $found == ($want{$kind} // 0) && "$found ";
        }, 30, "$key in the data file");
        ok($value, "$name: $key in the data file");
        is($s->data($s->get('/manager-status/metrics.txt')->content)->{$key},
           $want{$kind} // 0, "$name: $key in metrics.txt");
    }
    is(scalar @{ $json->{kills} }, $want{records}, "$name: records");
    my @lines = $s->log_lines(qr/Killing |Would kill /);
    is(scalar @lines, $want{records}, "$name: log lines")
        or diag(join "\n", @lines);
    is(scalar(grep { !/\[apache_manager:notice\].* AMGR0001: / } @lines), 0,
       "$name: their level and tag") or diag(join "\n", @lines);
    is_deeply([schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        "$name: status.json obeys its schema");
    return;
}

# Another worker serves, or there are enough without.
sub replaced {
    my ($s, $pid) = @_;
    my $how = wait_until(sub {
        my ($r) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
        $r->{replacement} && $r->{replacement} ne 'waiting'
            && $r->{replacement};
    }, 30, 'a replacement');
    return like($how // 'none', qr/^(?:ready|serving|not_forked)$/,
                $s->name . ': replaced');
}

# ---- the parts -------------------------------------------------------------

sub idle {
    my ($mpm) = @_;
    my $s = server($mpm, 'ManagerMaxMemoryIdle 150M', name => "$mpm-idle");
    # It is forked before it gives itself its name.
    ok(wait_until(sub { my @t = $s->ticker_pid; @t == 1 }, 30, 'a ticker'),
       'one ticker');
    grow_up($s);
    my @before = $s->children;
    my $begun = time;
    my $pid = leak($s, 200);
    gone($s, $pid, 2 * INTERVAL_SEC + SLACK_SEC, "$mpm: the leaking worker "
         . 'is gone');
    all_live("$mpm: nobody else", grep { $_ != $pid } @before);
    my $r = record($s, $pid);
    is($r->{kind}, 'native', 'kind');
    is($r->{group}, 'native', 'group');
    ok(!$r->{active}, 'idle');
    is($r->{reason}, 'memory_idle', 'reason');
    is($r->{limit}, 150 * MB, 'limit');
    cmp_ok($r->{measured}, '>', 200 * MB, 'measured');
    cmp_ok($r->{measured}, '<', 400 * MB, 'measured in bytes');
    is($r->{action}, 'ask', 'action');
    is($r->{outcome}, 'gone', 'outcome');
    is($r->{requests}, 0, 'no request in flight');
    is($r->{requests_lost}, undef, 'nor lost');
    cmp_ok($r->{freed_bytes}, '>', 150 * MB, 'what came back');
    cmp_ok($r->{time}, '>=', $begun - 0.1, 'time of the decision');
    cmp_ok($r->{time} - $begun, '<=', 2 * INTERVAL_SEC + SLACK_SEC,
           'within two intervals');
    # With threads the last request of the process may be one of ours, or one
    # that has only begun.
    is(scalar(grep { m{Killing\ native\ worker\ $pid\ \(idle\)\ using\ [\d.]+\ MB
                       \ \((?:GET\ /(?:app/leak|manager-status\S*)\ HTTP/1\.1
                       |last\ request\ unknown)\)}x
               } $s->log_lines), 1,
       "$mpm: the line of the log") or diag($s->log_lines(qr/Kill/));
    is(scalar(my @q = $s->log_lines(qr/mb=200/)), 0, 'without its query');
    replaced($s, $pid);
    ok($s->wait_ticks(4), 'four ticks');
    all_live("$mpm: nobody else later", grep { $_ != $pid } @before);
    counted($s, idle => 1, records => 1);
    $s->stop_ok;
    return;
}

sub active {
    my ($mpm) = @_;
    # The strikes keep a tick in the middle of the leak from ending it there.
    my $s = server($mpm, "ManagerMaxMemoryActive 300M\nManagerStrikes 4",
                   name => "$mpm-active");
    grow_up($s);
    my @before = $s->children;
    my $pid = leak($s, 350);
    my @others = grep { $_ != $pid } @before;
    ok($s->wait_ticks(6), 'more ticks than strikes');
    all_live("$mpm: an idle worker is not judged by the active limit", $pid);
    my $busy = $s->start_request('/app/big?mb=350&s=30');
    ok($busy->wait(5 * INTERVAL_SEC + SLACK_SEC + 2), "$mpm: the big request "
       . 'ends');
    isnt($busy->status // 'none', 200, 'and was not answered');
    my $victim = wait_until(sub {
        my ($r) = @{ $s->json->{kills} };
        $r && $r->{pid};
    }, 30, 'a record') or return fail('no record');
    gone($s, $victim, 30, "$mpm: its worker is gone");
    ok((grep { $_ == $victim } @before), 'which was one of ours');
    all_live("$mpm: nobody else", grep { $_ != $victim } @others);
    my $r = record($s, $victim);
    ok($r->{active}, 'active');
    is($r->{reason}, 'memory_active', 'reason');
    is($r->{limit}, 300 * MB, 'limit');
    # Perhaps while it still grew.
    cmp_ok($r->{measured}, '>', 300 * MB, 'measured');
    cmp_ok($r->{requests}, '>=', 1, 'requests in flight');
    is($r->{outcome}, 'gone', 'outcome');
    is(scalar(my @l = $s->log_lines(
        qr/Killing native worker $victim \(active\) using [\d.]+ MB \(/)), 1,
       "$mpm: the line of the log");
    counted($s, active => 1, records => 1);
    $s->stop_ok;
    return;
}

sub age {
    my ($mpm) = @_;
    # The data file, written once a second, has to tell of it in between.
    my $s = server($mpm, "ManagerMaxTime 2s\nManagerHangingThreshold 300ms",
                   name => "$mpm-time");
    grow_up($s);
    my @before = $s->children;
    my $long = $s->start_request('/app/sleep?s=30');
    my $short = $s->start_request('/app/sleep?s=0.5');
    my $hanging = wait_until(sub { ($s->data->{'workers-hanging'} // 0) >= 1 },
                             30, 'workers-hanging');
    ok($hanging, "$mpm: counted as hanging first");
    ok($short->wait(30), 'the short one ends');
    is($short->status, 200, "$mpm: a request below the limit is answered");
    # On prefork short ones go on beside it; a process with many threads is
    # retired with what is in it.
    my @beside;
    until ($long->done || $long->took > 2 + 2 * INTERVAL_SEC + SLACK_SEC) {
        push @beside, $s->get('/app/sleep?s=0.2')->code if $mpm eq 'prefork';
        sleep 0.05;
    }
    is(scalar(grep { $_ != 200 } @beside), 0, 'shorter ones live beside it');
    ok($long->done, "$mpm: the long one ends");
    isnt($long->status // 'none', 200, 'unanswered');
    cmp_ok($long->took, '>=', 2, 'not before its time');
    my ($first) = @{ $s->json->{kills} };
    ok($first, 'a record') or return;
    my $pid = $first->{pid};
    my $r = record($s, $pid);
    is($r->{reason}, 'time', 'reason');
    ok($r->{active}, 'active');
    is($r->{limit}, 2, 'limit in seconds');
    cmp_ok($r->{measured}, '>', 2, 'measured');
    cmp_ok($r->{measured}, '<', 2 + 2 * INTERVAL_SEC + SLACK_SEC,
           'measured in seconds');
    is($r->{outcome}, 'gone', 'outcome');
    like($r->{request} // '', qr{^GET /app/sleep\b(?!\?)},
         'the request that decided, without its query');
    all_live("$mpm: nobody else", grep { $_ != $pid } @before);
    my @said = map { /hanging for (\d+) seconds/ } $s->log_lines(
        qr{Killing\ native\ worker\ $pid\ \(active\)\ hanging\ for\ \d+
           \ seconds\ since\ last\ request\ \(GET\ /app/sleep}x);
    is(scalar @said, 1, "$mpm: the line of the log")
        or diag($s->log_lines(qr/Kill/));
    cmp_ok(abs($said[0] - $r->{measured}), '<=', 1, 'with what was measured');
    ok(wait_until(sub { ($s->data->{'workers-hanging'} // 1) == 0 }, 30,
                  'none hanging'), 'none hangs afterwards');
    # Idle and reading connections are no long requests.
    my $silent = AMGR::Request->new($s->port, "GET / HTTP/1.1\r\nX: ");
    ok($s->wait_ticks(1 + 2.5 / INTERVAL_SEC), 'ticks for longer than the limit');
    counted($s, active => 1, records => 1);
    $silent->close_now;
    $s->stop_ok;
    return;
}

sub dry_run {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerDryRun On",
                   name => "$mpm-dry", min_age => '1s',
                   config => "WSGIDaemonProcess alpha threads=2 home=/ "
                       . "display-name=%{GROUP}\nWSGIScriptAlias /alpha "
                       . "SCRIPT process-group=alpha\n");
    grow_up($s);
    my @before = $s->children;
    my $daemon = leak($s, 200, 'alpha');
    my $pid = leak($s, 200);
    my $r = record($s, $pid);
    is($r->{outcome}, 'dry_run', 'outcome');
    is($r->{action}, 'none', 'action');
    ok($s->wait_ticks(4), 'four ticks');
    all_live("$mpm: a dry run ends nobody", @before);
    is(scalar(my @l = $s->log_lines(
        qr/Would kill native worker $pid \(idle\) using [\d.]+ MB \(/)), 1,
       "$mpm: the line of the log");
    counted($s, records => 1);
    my $json = $s->json;
    is($json->{manager}{suppressed}{dry_run}, 1, 'counted as suppressed');
    ok($json->{limits}{dry_run}, 'and shown');
    my ($p) = grep { $_->{pid} == $pid } @{ $json->{processes} };
    is($p->{verdict}, 'memory_idle', 'the verdict stands');
    is($p->{state}, 'serving', 'and it serves');
    # The idle limit is not a WSGI daemon's.
    my ($d) = grep { $_->{pid} == $daemon } @{ $json->{processes} };
    is($d->{group}, 'alpha', 'the daemon is in its group');
    is($d->{verdict}, 'ok', 'the idle limit is not its');
    $s->stop_ok;
    return;
}

sub wsgi {
    my ($mpm) = @_;
    my %title = (alpha => '"the daemon of alpha"', beta => '%{GROUP}');
    my $groups = join '', map {
        "WSGIDaemonProcess $_ processes=1 threads=3 "
        . "python-path=\"/ display-name=x\" display-name=$title{$_} home=/\n"
        . "WSGIScriptAlias /$_ SCRIPT process-group=$_\n"
    } qw(alpha beta);
    # The strikes are for a tick in the middle of the leak.
    my $s = server($mpm, "ManagerMaxMemoryActive 150M\nManagerMaxMemoryIdle "
                   . "400M\nManagerStrikes 4", name => "$mpm-wsgi", modules => ['cgid'],
                   min_age => '1s', config => $groups);
    grow_up($s);
    my @before = $s->children;
    my %pid = map { $_ => pid_of($s->get("/$_/pid")->content) }
        qw(alpha beta);
    my $json = $s->json;
    my %by_pid = map { $_->{pid} => $_ } @{ $json->{processes} };
    for my $name (sort keys %pid) {
        is($by_pid{ $pid{$name} }{group}, $name, "the daemon of $name");
        is($by_pid{ $pid{$name} }{kind}, 'foreign', "$name is foreign");
        my ($group) = grep { $_->{name} eq $name } @{ $json->{groups} };
        is($group->{count}, 1, "$name is a group");
        like($s->get('/manager-status/metrics.txt')->content,
             qr/^memory-usage\t$name\tcount\t1$/m, "$name in metrics.txt");
    }
    my @rest = grep { $_->{kind} eq 'foreign' && $_->{pid} != $pid{alpha}
                      && $_->{pid} != $pid{beta} } @{ $json->{processes} };
    my ($ticker) = $s->ticker_pid;
    my @cgid = grep { $_->{pid} != $ticker } @rest;
    is(scalar @cgid, 1, 'the cgid daemon is told apart');
    isnt($cgid[0]{group}, $_, "and is not in $_") for qw(native alpha beta);
    is($cgid[0]{verdict}, 'exempt', 'it is never judged');

    my $leaked = leak($s, 200, 'alpha');
    is($leaked, $pid{alpha}, 'alpha leaked');
    gone($s, $pid{alpha}, 1 + 5 * INTERVAL_SEC + SLACK_SEC,
         "$mpm: the daemon of alpha is gone");
    all_live("$mpm: nobody else", grep { $_ != $pid{alpha} } @before);
    my $r = record($s, $pid{alpha});
    is($r->{kind}, 'foreign', 'kind');
    is($r->{group}, 'alpha', 'group');
    ok($r->{active}, 'a daemon counts as active');
    is($r->{reason}, 'memory_active', 'reason');
    is($r->{outcome}, 'gone', 'outcome');
    is(scalar(my @l = $s->log_lines(
        qr/Killing WSGI worker $pid{alpha} \(alpha\) using [\d.]+ MB \(last request unknown\)/)),
       1, "$mpm: the line of the log") or diag($s->log_lines(qr/Kill/));
    ok(wait_until(sub {
        my $answer = $s->get('/alpha/pid');
        my $now = $answer->code == 200 && pid_of($answer->content);
        $now && $now != $pid{alpha};
    }, 30, 'alpha again'), "$mpm: alpha is there again");
    is(pid_of($s->get('/beta/pid')->content), $pid{beta}, 'beta is as before');
    counted($s, active => 1, records => 1);
    # mod_wsgi says so when a daemon ends under a request or by a signal.
    $s->expect_log(qr/\[wsgi:(?:error|warn)\]/);
    $s->stop_ok;
    return;
}

# The parent itself ticks: every ten seconds, no process added.
sub hook_begin {
    my ($mpm) = @_;
    my $s = server($mpm, 'ManagerMaxMemoryIdle 150M', name => "$mpm-hook",
                   interval => undef);
    is(scalar(my @none = $s->ticker_pid), 0, 'no ticker by default');
    my @before = $s->children;
    my $begun = time;
    my $pid = leak($s, 200);
    return { s => $s, pid => $pid, before => \@before, begun => $begun };
}

sub hook_end {
    my ($hook) = @_;
    my ($s, $pid) = @$hook{qw(s pid)};
    my $name = $s->name;
    gone($s, $pid, 60, "$name: the leaking worker is gone");
    my $r = record_later($s, $pid);
    is($r->{reason}, 'memory_idle', 'reason');
    is($r->{outcome}, 'gone', 'outcome');
    cmp_ok($r->{time} - $hook->{begun}, '<=', 20 + SLACK_SEC,
           'within two intervals');
    all_live("$name: nobody else", grep { $_ != $pid } @{ $hook->{before} });
    is(scalar(my @none = $s->ticker_pid), 0, 'still no ticker');
    counted($s, idle => 1, records => 1);
    $s->stop_ok;
    return;
}

# Its end is seen at the next tick, ten seconds later.
sub record_later {
    my ($s, $pid) = @_;
    my $record;
    wait_until(sub {
        ($record) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
        $record && $record->{outcome} ne 'pending';
    }, 30, "a finished record of $pid");
    return $record // {};
}

1;
