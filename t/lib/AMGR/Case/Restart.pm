# SPDX-License-Identifier: Apache-2.0
#
# Restarts of every kind, and what becomes of the ticker: one process ticks,
# nothing is lost, nothing is done twice, nothing grows.
package AMGR::Case::Restart;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

sub run {
    my ($mpm) = @_;
    my $s = AMGR::Case::Retire::server($mpm, 'ManagerMaxMemoryIdle 150M',
                                       name => "$mpm-restart");
    # The ticker that a test ends is announced.
    $s->expect_log(qr/AMGR0011: /);
    restarts($s);
    intervals($s);
    sizes($s, $mpm);
    ticker_ends($s);
    ticker_stops($s);
    rotation($s);
    no_growth($s);
    is_deeply([grep { !m{/(?:apache-manager\.(?:board|txt)|httpd\.pid
                           |wsgi\.[\d.]+\.sock|cgisock\.\d+)$}x }
               glob $s->runtime_file('*')], [],
              'no other file in the runtime directory');
    $s->stop_ok;
    detached($mpm);
    done_testing();
    return;
}

sub one_ticker {
    my ($s, $what, $not) = @_;
    my $pid;
    ok(wait_until(sub {
        my @pids = $s->ticker_pid;
        @pids == 1 && $pids[0] != ($not // 0) && ($pid = $pids[0]);
    }, 45, "one ticker $what"), "one ticker $what");
    return $pid;
}

sub kill_one {
    my ($s, $what) = @_;
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "a leaking worker is gone $what");
    AMGR::Case::Retire::record($s, $pid);
    return $pid;
}

sub restarts {
    my ($s) = @_;
    my $first = one_ticker($s, 'at first');
    my @victims = kill_one($s, 'before any restart');
    my $ticks = $s->json->{manager}{ticks};
    my $long = $s->start_request('/app/sleep?s=3');
    ok(wait_until(sub { grep { grep { $_->{mode} eq 'W'
            && ($_->{request} // '') =~ /sleep/ } @{ $_->{slots} } }
            @{ $s->json->{processes} } }, 5, 'the request'), 'it sleeps');
    ok($s->graceful, 'graceful restart');
    my $second = one_ticker($s, 'after a graceful restart', $first);
    my $json = $s->json;
    is($json->{server}{generation}, 1, 'the next generation');
    ok(wait_until(sub {
        my @old = grep { ($_->{generation} // -1) == 0 }
            @{ $s->json->{processes} };
        @old && !grep { $_->{state} ne 'stopping' } @old;
    }, 2.5, 'the old generation'), 'the old generation is there and stopping');
    $long->wait(10);
    is($long->status, 200, 'its request is answered');
    push @victims, kill_one($s, 'after a graceful restart');
    ok($s->restart, 'restart');
    my $third = one_ticker($s, 'after a restart', $second);
    $json = $s->json;
    cmp_ok($json->{manager}{ticks}, '>=', $ticks, 'ticks are carried on');
    is($json->{manager}{killed_idle}, 2, 'so are the counters');
    is_deeply([map { $_->{pid} } @{ $json->{kills} }], [reverse @victims],
              'and the records');
    push @victims, kill_one($s, 'after a restart');
    my @lines = $s->log_lines(qr/Killing /);
    is(scalar @lines, 3, 'each was announced once');
    return;
}

sub intervals {
    my ($s) = @_;
    $s->{interval} = '200ms';
    $s->write_config;
    ok($s->graceful, 'graceful restart with another interval');
    one_ticker($s, 'at the other interval');
    is($s->json->{limits}{interval_seconds}, 0.2, 'the other interval');
    ok($s->wait_ticks(1), 'it ticks');
    my $begun = time;
    my $ticks = $s->json->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} >= $ticks + 6 }, 10,
                  'six ticks'), 'six ticks');
    cmp_ok(time - $begun, '<', 4, 'at its pace');
    cmp_ok(time - $begun, '>', 0.7, 'and no faster');

    $s->{interval} = undef;
    $s->write_config;
    ok($s->graceful, 'graceful restart without an interval');
    ok(wait_until(sub { !$s->ticker_pid }, 10, 'no ticker'), 'no ticker');
    ok($s->wait_ticks(1, 25), 'the parent ticks');

    $s->{interval} = '500ms';
    $s->write_config;
    ok($s->restart, 'restart with an interval');
    one_ticker($s, 'again');
    ok($s->wait_ticks(2), 'and it ticks');
    return;
}

sub sizes {
    my ($s, $mpm) = @_;
    my $before = $s->{mpm_config};
    my $was = $mpm eq 'prefork' ? 10 : 16;
    is($s->json->{server}{max_workers}, $was, "max_workers $was");
    (my $less = $before) =~ s/MaxRequestWorkers \d+/MaxRequestWorkers 8/;
    $s->set_mpm_config($less);
    ok($s->graceful, 'graceful restart with fewer workers');
    ok(wait_until(sub { $s->json->{server}{max_workers} == 8 }, 5, 'eight'),
       'max_workers 8');
    is_deeply([AMGR::Schema::schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        'status.json obeys its schema');
    $s->set_mpm_config($before);
    ok($s->restart, 'restart with all of them');
    is($s->json->{server}{max_workers}, $was, "max_workers $was again");
    return;
}

sub ticker_ends {
    my ($s) = @_;
    my $old = one_ticker($s, 'before its end');
    my $ticks = $s->json->{manager}{ticks};
    kill 'KILL', $old;
    my $new = one_ticker($s, 'after its end', $old);
    ok($s->wait_ticks(2, 20), 'ticks go on');
    cmp_ok($s->json->{manager}{ticks}, '>', $ticks, 'and are counted on');
    my $before = () = $s->log_lines(qr/Killing /);
    kill_one($s, 'after it');
    is(scalar(my @l = $s->log_lines(qr/Killing /)), $before + 1,
       'announced once');
    return;
}

# A stopped ticker may wake in the middle of a write: it is killed and reaped
# before anybody else ticks.
sub ticker_stops {
    my ($s) = @_;
    my $old = one_ticker($s, 'before it is stopped');
    AMGR::Case::Retire::grow_up($s);
    kill 'STOP', $old;
    ok(wait_until(sub { ((AMGR::Httpd::stat_fields($old))[0] // '') eq 'T' },
                  5, 'stopped'), 'the ticker is stopped');
    my $pid = AMGR::Case::Retire::leak($s, 200);
    my $before = () = $s->log_lines(qr/Killing /);
    AMGR::Case::Retire::gone($s, $old, 60, 'the stopped ticker is gone');
    kill 'CONT', $old if AMGR::Httpd::is_alive($old);
    one_ticker($s, 'after it was stopped', $old);
    AMGR::Case::Retire::gone($s, $pid, 30, 'and the leaking worker as well');
    AMGR::Case::Retire::record($s, $pid);
    my @lines = $s->log_lines(qr/Killing /);
    is(scalar @lines, $before + 1, 'which was done once')
        or diag(join "\n", @lines);
    my %seen;
    $seen{$_}++ for map { /worker (\d+)/ } @lines;
    is(join(' ', grep { $seen{$_} > 1 } sort keys %seen), '',
       'nobody was killed twice');
    return;
}

sub rotation {
    my ($s) = @_;
    my $old = $s->log_file . '.1';
    rename $s->log_file, $old or die "$old: $!\n";
    kill 'USR1', $s->parent_pid;
    ok(wait_until(sub { $s->log_text(0) =~ /resuming normal operations/ }, 30,
                  'the new log'), 'a new log after the restart');
    one_ticker($s, 'after the rotation');
    my $size = -s $old;
    my $pid = kill_one($s, 'after the rotation');
    like($s->log_text(0), qr/Killing native worker $pid /,
         'its line is in the new log');
    open my $fh, '<', $old or die "$old: $!\n";
    seek $fh, $size, 0;
    my $more = join '', <$fh>;
    unlike($more, qr/Killing/, 'and not in the old one');
    return;
}

sub descriptors {
    my ($pid) = @_;
    my @fds = glob "/proc/$pid/fd/*";
    return scalar @fds;
}

sub boards {
    my ($pid) = @_;
    return scalar grep { /apache-manager\.board/ }
        split /\n/, AMGR::Httpd::slurp("/proc/$pid/maps");
}

sub no_growth {
    my ($s) = @_;
    my $parent = $s->parent_pid;
    $s->graceful for 1 .. 2;
    my ($fds, $boards, $rss) = (descriptors($parent), boards($parent),
                                rss($parent));
    my $failed = grep { !$s->graceful } 1 .. 12;
    is($failed, 0, 'a dozen graceful restarts');
    one_ticker($s, 'after them');
    is(descriptors($parent), $fds, 'no descriptor more');
    is(boards($parent), $boards, 'no mapping more');
    # A sanitizer keeps what was freed.
    my $slack = $ENV{AMGR_PRELOAD} ? 64 : 1;
    cmp_ok(rss($parent), '<', $rss + ($slack << 20), "no $slack MB more");
    is($s->parent_pid, $parent, 'the same parent');
    return;
}

sub rss {
    my ($pid) = @_;
    return (split ' ', AMGR::Httpd::slurp("/proc/$pid/statm"))[1] * 4096;
}

# As a daemon of its own, as in production; and a parent killed outright
# leaves no ticker behind.
sub detached {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms', detach => 1,
                             name => "$mpm-daemon")->start;
    my $ticker = one_ticker($s, 'of a daemon');
    ok($s->wait_ticks(3), 'it ticks');
    ok($s->graceful, 'graceful restart of a daemon');
    one_ticker($s, 'after it', $ticker);
    $s->stop_ok;

    $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                          name => "$mpm-orphan")->start;
    $ticker = one_ticker($s, 'of the next');
    kill 'KILL', $s->parent_pid;
    AMGR::Case::Retire::gone($s, $ticker, 10, 'without its parent the ticker '
                             . 'ends');
    $s->stop;

    # The board that it left is taken over by the next server.
    my $next = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                                runtime_dir => $s->runtime_file('.'),
                                name => "$mpm-heir")->start;
    one_ticker($next, 'of its heir');
    ok($next->wait_ticks(2), 'it ticks');
    is(scalar(my @l = $next->log_lines(qr/AMGR0010/)), 0,
       'a dead server is no rival');
    $next->stop_ok;
    return;
}

1;
