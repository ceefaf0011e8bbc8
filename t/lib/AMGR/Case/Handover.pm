# SPDX-License-Identifier: Apache-2.0
#
# Who ticks: a watcher looks at the parent's children every few milliseconds
# while the server restarts and its tickers are ended in every way.  A ticker
# is forked only after the last one was reaped, so two are never seen, not even
# one beside another's corpse.
package AMGR::Case::Handover;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    TITLE        => 'apache-manager',
    SAMPLE_SEC   => 0.003,
    WATCH_SEC    => 600,  # a watcher that was forgotten ends by itself
    SETTLED      => 30,   # samples after which a child keeps its name
    GRACEFULS    => 15,
    HARD         => 3,
    MONITOR_SEC  => 10,   # between two calls of the parent's monitor hook
    LEAK_MB      => 200,
};

sub run {
    my ($mpm) = @_;
    # Tickers are ended here, which the log announces.
    my $s = AMGR::Case::Retire::server($mpm, 'ManagerMaxMemoryIdle 150M',
                                       name => "$mpm-handover");
    $s->expect_log(qr/AMGR0011: /);
    my $watch = watch($s);
    my $state = { victims => [], either => [] };
    settle($s, $state);
    my $before = size($s);
    gracefuls($s, $state);
    hard($s, $state);
    killed($s, $state);
    unseen_end($s, $state);
    stopped($s, $state);
    killed_while_restarting($s, $state);
    switches($s, $state);
    growth($s, $before);
    kills($s, $state);
    log_is_sound($s);
    watched($watch);
    $s->stop_ok;
    orphan($mpm);
    done_testing();
    return;
}

# ---- the watcher -----------------------------------------------------------

sub watch {
    my ($s) = @_;
    my $file = $s->path('logs/watch.json');
    my $me = $$;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        my $end;
        local $SIG{TERM} = sub { $end = 1 };
        my $report = { most => 0, samples => 0, tickers => {}, two => [] };
        my $until = time + WATCH_SEC;
        my %seen;
        while (!$end && getppid == $me && time < $until) {
            sample($s->{pid}, $report, \%seen);
            sleep SAMPLE_SEC;
        }
        AMGR::Httpd::write($s, 'logs/watch.json',
                           JSON::PP->new->encode($report));
        POSIX::_exit(0);
    }
    return { pid => $pid, file => $file };
}

sub sample {
    my ($parent, $report, $seen) = @_;
    my @tickers;
    for my $pid (AMGR::Httpd->children($parent)) {
        next if ($seen->{$pid} // 0) > SETTLED;
        if (AMGR::Httpd::comm($pid) eq TITLE) {
            push @tickers, $pid;
        }
        else {
            $seen->{$pid}++;
        }
    }
    $report->{samples}++;
    $report->{tickers}{$_} = 1 for @tickers;
    # The list of children is not one instant's: only the first of them still
    # being a child after the last was seen tells that there were two.
    if (@tickers > 1) {
        @tickers = grep { my @stat = AMGR::Httpd::stat_fields($_);
                          @stat && $stat[1] == $parent } @tickers;
    }
    if (@tickers > 1) {
        push @{ $report->{two} }, join ' ', map {
            "$_:" . ((AMGR::Httpd::stat_fields($_))[0] // '?') } @tickers;
    }
    $report->{most} = @tickers if @tickers > $report->{most};
    return;
}

sub watched {
    my ($watch) = @_;
    kill 'TERM', $watch->{pid};
    waitpid $watch->{pid}, 0;
    is($?, 0, 'the watcher watched to the end');
    my $text = AMGR::Httpd::slurp($watch->{file});
    my $report = $text eq '' ? {} : JSON::PP->new->decode($text);
    is($report->{most}, 1, 'never more than one ticker')
        or diag("@{ $report->{two} // [] }");
    cmp_ok(scalar keys %{ $report->{tickers} // {} }, '>=',
           GRACEFULS / 2 + HARD, 'many were seen');
    cmp_ok($report->{samples} // 0, '>', 1000, 'often enough');
    return;
}

# ---- looking ---------------------------------------------------------------

sub ticker {
    my ($s, $what, $not) = @_;
    my $pid;
    ok(wait_until(sub {
        my @pids = $s->ticker_pid;
        @pids == 1 && $pids[0] != ($not // 0) && ($pid = $pids[0]);
    }, 45, "a ticker $what"), "a ticker $what");
    return $pid // 0;
}

# status.json, and that no counter in it went back since the last time.
sub look {
    my ($s, $state, $what) = @_;
    my $json = $s->json;
    my $manager = $json->{manager};
    my $now = { map { $_ => $manager->{$_} } qw(ticks killed_active killed_idle)
              };
    for my $part (qw(errors suppressed)) {
        $now->{"$part.$_"} = $manager->{$part}{$_}
            for keys %{ $manager->{$part} };
    }
    my $last = $state->{last} // {};
    my @back = grep { ($now->{$_} // -1) < $last->{$_} } sort keys %$last;
    is(join(' ', map { "$_: $last->{$_} > " . ($now->{$_} // 'none') } @back),
       '', "no counter went back $what");
    $state->{last} = $now;
    return $json;
}

# More ticks than there were; in hook mode the next one takes ten seconds.
sub ticks_on {
    my ($s, $state, $what, $timeout) = @_;
    my $ticks = look($s, $state, "before waiting $what")->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} > $ticks },
                  $timeout // 20, "ticks $what"), "ticks go on $what");
    return;
}

sub leak {
    my ($s, $state, $list) = @_;
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, LEAK_MB) // 0;
    push @{ $state->{ $list // 'victims' } }, $pid;
    return $pid;
}

sub leak_and_see {
    my ($s, $state, $what) = @_;
    my $pid = leak($s, $state);
    AMGR::Case::Retire::gone($s, $pid, 30, "a leaking worker is gone $what");
    AMGR::Case::Retire::record($s, $pid);
    return;
}

# What could grow in the parent.
sub size {
    my ($s) = @_;
    my $pid = $s->parent_pid;
    my @fds = glob "/proc/$pid/fd/*";
    my @maps = split /\n/, AMGR::Httpd::slurp("/proc/$pid/maps");
    my ($rss) = (split ' ', AMGR::Httpd::slurp("/proc/$pid/statm"))[1];
    return {
        descriptors => scalar @fds,
        maps        => scalar @maps,
        boards      => scalar(grep { /apache-manager\.board/ } @maps),
        shared      => scalar(grep { m{/dev/zero|/memfd:} } @maps),
        rss         => $rss * POSIX::sysconf(POSIX::_SC_PAGESIZE()),
        children    => scalar(my @c = $s->children),
    };
}

# ---- the parts -------------------------------------------------------------

# Restarts fill caches and pools once.
sub settle {
    my ($s, $state) = @_;
    my $first = ticker($s, 'at first');
    $s->graceful for 1 .. 3;
    ticker($s, 'after the warm-up', $first);
    ok($s->restart, 'a hard restart belongs to it');
    ticks_on($s, $state, 'after the warm-up');
    return;
}

sub gracefuls {
    my ($s, $state) = @_;
    my $failed = 0;
    leak_and_see($s, $state, 'before the restarts');
    for my $number (1 .. GRACEFULS) {
        # Retired, or told to go by the restart: once, whoever comes first.
        leak($s, $state, 'either') if $number % 5 == 0;
        $failed++ unless $s->graceful;
        look($s, $state, "by graceful restart $number") if $number % 3 == 0;
    }
    is($failed, 0, GRACEFULS . ' graceful restarts');
    ticker($s, 'after them');
    ticks_on($s, $state, 'after them');
    for my $pid (@{ $state->{either} }) {
        AMGR::Case::Retire::gone($s, $pid, 30, "worker $pid is gone");
    }
    return;
}

sub hard {
    my ($s, $state) = @_;
    my $ticker = ticker($s, 'before the hard restarts');
    my $failed = 0;
    for my $number (1 .. HARD) {
        $failed++ unless $s->restart;
        look($s, $state, "by restart $number");
    }
    is($failed, 0, HARD . ' hard restarts');
    ticker($s, 'after the hard restarts', $ticker);
    leak_and_see($s, $state, 'after the hard restarts');
    ticks_on($s, $state, 'after the hard restarts');
    my %recorded = map { $_->{pid} => 1 } @{ $s->json->{kills} };
    is(join(' ', grep { !$recorded{$_} } @{ $state->{victims} }), '',
       'all records survived');
    return;
}

# Its end is a fault: logged and counted, whoever reaps it first.
sub ended {
    my ($s, $ticker, $what, $pattern) = @_;
    my $errors = $s->json->{manager}{errors}{ticker};
    $s->mark_log;
    return sub {
        ok(wait_until(sub {
            $s->json->{manager}{errors}{ticker} == $errors + 1;
        }, 30, "errors.ticker $what"), "$what is counted");
        my @lines;
        wait_until(sub {
            @lines = $s->log_lines(qr/AMGR0011: .*\b$ticker\b.*$pattern/);
        }, 30, 'its line');
        is(scalar @lines, 1, "$what is logged once")
            or diag(join "\n", $s->log_lines(qr/AMGR/));
    };
}

sub killed {
    my ($s, $state) = @_;
    my $ticker = ticker($s, 'to be killed');
    my $told = ended($s, $ticker, 'a killed ticker', 'ended by itself');
    kill 'KILL', $ticker;
    ticker($s, 'after that', $ticker);
    $state->{monitor} = time; # the hook has just replaced it
    $told->();
    ticks_on($s, $state, 'after a ticker was killed');
    return;
}

# The parent looks for dead children after the hook: one that dies just before
# it is found by the hook.
sub unseen_end {
    my ($s, $state) = @_;
    my $ticker = ticker($s, 'to die just before the hook');
    my $told = ended($s, $ticker, 'a ticker that the hook finds dead',
                     'ended by itself');
    my $due = $state->{monitor} + MONITOR_SEC - 0.5;
    sleep $due - time if $due > time;
    kill 'KILL', $ticker;
    ticker($s, 'after that', $ticker);
    $told->();
    ticks_on($s, $state, 'after it');
    return;
}

sub stopped {
    my ($s, $state) = @_;
    my $ticker = ticker($s, 'to be stopped');
    my $told = ended($s, $ticker, 'a stopped ticker', 'killed');
    kill 'STOP', $ticker;
    ok(wait_until(sub { ((AMGR::Httpd::stat_fields($ticker))[0] // '') eq 'T' },
                  30, 'stopped'), 'the ticker is stopped');
    my $pid = leak($s, $state);
    AMGR::Case::Retire::gone($s, $ticker, 45, 'the stopped ticker is ended');
    kill 'CONT', $ticker if AMGR::Httpd::is_alive($ticker);
    ticker($s, 'after that', $ticker);
    $told->();
    AMGR::Case::Retire::gone($s, $pid, 30, 'and so is the leaking worker');
    AMGR::Case::Retire::record($s, $pid);
    # A restart does not wait for one that is stopped.
    $ticker = ticker($s, 'to be stopped before a restart');
    kill 'STOP', $ticker;
    ok($s->graceful, 'a graceful restart with a stopped ticker');
    ok(!AMGR::Httpd::is_alive($ticker), 'which is ended by it');
    kill 'CONT', $ticker if AMGR::Httpd::is_alive($ticker);
    ticker($s, 'after that', $ticker);
    ticks_on($s, $state, 'after the stopped tickers');
    return;
}

sub killed_while_restarting {
    my ($s, $state) = @_;
    for my $after (0, 0.002, 0.01, 0.05, 0.2) {
        my $ticker = ticker($s, "before a restart, to be killed at $after s");
        my $size = -s $s->log_file;
        $s->signal('USR1');
        sleep $after if $after;
        kill 'KILL', $ticker if AMGR::Httpd::comm($ticker) eq TITLE;
        ok(wait_until(sub { $s->log_text($size) =~ /resuming normal/ }, 30,
                      'the restart'), 'it restarts');
        ticker($s, 'after it', $ticker);
        look($s, $state, "by a ticker killed at $after s");
    }
    ticks_on($s, $state, 'after them');
    return;
}

# hook -> ticker -> hook, and back to a ticker for what follows; once by the
# default, and back by a restart that is not graceful.
sub switches {
    my ($s, $state) = @_;
    for my $switch (['10s', 'graceful'], ['500ms', 'graceful'],
                    [undef, 'graceful'], ['500ms', 'restart']) {
        my ($interval, $restart) = @$switch;
        $s->{interval} = $interval;
        $s->write_config;
        $interval //= 'nothing';
        ok($s->$restart, "$restart with an interval of $interval");
        my $json = look($s, $state, "by the interval of $interval");
        is($json->{limits}{interval_seconds} + 0,
           $interval eq '500ms' ? 0.5 : 10, 'which is in force');
        if ($interval ne '500ms') {
            is(scalar(my @t = $s->ticker_pid), 0, 'without a ticker');
            ticks_on($s, $state, 'from the hook', 60);
            is(scalar(@t = $s->ticker_pid), 0, 'still without one');
        }
        else {
            ticker($s, "with an interval of $interval");
            ticks_on($s, $state, 'from the ticker');
        }
    }
    leak_and_see($s, $state, 'after the switches');
    return;
}

sub growth {
    my ($s, $before) = @_;
    my $after;
    # The old generation takes its time to go, and the parent may have a
    # descriptor more for a moment.
    wait_until(sub {
        $after = size($s);
        $after->{children} <= $before->{children} + 2
            && $after->{descriptors} == $before->{descriptors};
    }, 30, 'the number of children');
    note(JSON::PP->new->canonical->encode({ before => $before,
                                            after => $after }));
    is($after->{$_}, $before->{$_}, "$_ of the parent did not grow")
        for qw(descriptors boards shared);
    # Freed memory is kept for a while under a sanitizer; and each time the
    # module is loaded its counters of lines are mapped anew.
    my $keeps = $ENV{AMGR_PRELOAD} || $ENV{AMGR_COVERAGE};
    my $maps = $keeps ? 64 : 3;
    cmp_ok($after->{maps}, '<=', $before->{maps} + $maps, 'nor its mappings');
    cmp_ok($after->{children}, '<=', $before->{children} + 2,
           'nor its children');
    my $slack = ($keeps ? 64 : 1) * AMGR::Case::Retire::MB;
    cmp_ok($after->{rss}, '<', $before->{rss} + $slack, 'nor its memory');
    is_deeply([grep { !m{/(?:apache-manager\.(?:board|txt)|httpd\.pid
                           |wsgi\.[\d.]+\.sock)$}x }
               glob $s->runtime_file('*')], [],
              'no temporary file in the runtime directory');
    return;
}

# Every victim once, in the records, in the log and in the counters.
sub kills {
    my ($s, $state) = @_;
    my @recorded = sort { $a <=> $b } map { $_->{pid} }
        @{ $s->json->{kills} };
    my %either = map { $_ => 1 } @{ $state->{either} };
    my %seen;
    is(join(' ', grep { $seen{$_}++ } @recorded), '', 'nobody twice');
    is(join(' ', grep { !$either{$_} } @recorded),
       join(' ', sort { $a <=> $b } @{ $state->{victims} }),
       'each victim has one record');
    my @logged = sort { $a <=> $b }
        map { /Killing native worker (\d+)/ } split /\n/, $s->log_text(0);
    is("@logged", "@recorded", 'and one line');
    my $manager = $s->json->{manager};
    is($manager->{killed_idle} + $manager->{killed_active},
       scalar @recorded, 'and is counted once');
    return;
}

sub log_is_sound {
    my ($s) = @_;
    my @bad = grep { /long lost child|AH0005[12]|[Ss]egmentation|exit signal/ }
        split /\n/, $s->log_text(0);
    is(join("\n", @bad), '', 'no child crashed or was lost');
    return;
}

# A parent that is killed takes its ticker with it, and its board is no
# obstacle to the next server.
sub orphan {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '500ms',
                             name => "$mpm-orphan")->start;
    my $ticker = ticker($s, 'of a parent to be killed');
    ok($s->wait_ticks(1), 'it ticks');
    my $inode = (stat $s->board_file)[1];
    kill 'KILL', $s->parent_pid;
    AMGR::Case::Retire::gone($s, $ticker, 8, 'without its parent it ends soon');
    $s->stop;
    my $next = AMGR::Httpd->new(mpm => $mpm, interval => '500ms',
                                runtime_dir => $s->runtime_file('.'),
                                name => "$mpm-heir")->start;
    isnt((stat $next->board_file)[1], $inode, 'the next has a new board');
    is(scalar(my @l = $next->log_lines(qr/AMGR0010/)), 0, 'of its own');
    ticker($next, 'of the next server');
    ok($next->wait_ticks(2), 'which ticks');
    is($next->json->{manager}{killed_idle}, 0, 'from the beginning');
    $next->stop_ok;
    return;
}

1;
