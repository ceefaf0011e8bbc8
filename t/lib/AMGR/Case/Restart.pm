# SPDX-License-Identifier: Apache-2.0
#
# Restarts of every kind: one process ticks, nothing is lost, nothing is done
# twice, nothing grows.  How tickers end, and who ticks without one, is in
# AMGR::Case::Handover.
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
    restarts($s);
    intervals($s);
    sizes($s, $mpm);
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
    my $long = $s->start_request('/app/sleep?s=5');
    ok(wait_until(sub { grep { grep { $_->{mode} eq 'W'
            && ($_->{request} // '') =~ /sleep/ } @{ $_->{slots} } }
            @{ $s->json->{processes} } }, 30, 'the request'), 'it sleeps');
    ok($s->graceful, 'graceful restart');
    my $second = one_ticker($s, 'after a graceful restart', $first);
    my $json = $s->json;
    is($json->{server}{generation}, 1, 'the next generation');
    ok(wait_until(sub {
        my @old = grep { ($_->{generation} // -1) == 0 }
            @{ $s->json->{processes} };
        @old && !grep { $_->{state} ne 'stopping' } @old;
    }, 30, 'the old generation'), 'the old generation is there and stopping');
    $long->wait(30);
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
    # The last interval takes three seconds for as many; a busy machine may
    # once, too.
    my $took;
    ok(wait_until(sub {
        my $begun = time;
        $s->wait_ticks(6) or return;
        $took = time - $begun;
        return $took < 2.5;
    }, 60, 'six ticks'), 'six ticks at its pace');
    cmp_ok($took // 0, '>', 0.7, 'and no faster');
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
    ok(wait_until(sub { $s->json->{server}{max_workers} == 8 }, 30, 'eight'),
       'max_workers 8');
    is_deeply([AMGR::Schema::schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        'status.json obeys its schema');
    $s->set_mpm_config($before);
    ok($s->restart, 'restart with all of them');
    ok(wait_until(sub { $s->json->{server}{max_workers} == $was }, 30, $was),
       "max_workers $was again");
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
    # It may have one open for a moment.
    ok(wait_until(sub { descriptors($parent) == $fds }, 30, "$fds descriptors"),
       'no descriptor more') or diag(descriptors($parent));
    is(boards($parent), $boards, 'no mapping more');
    # A sanitizer keeps what was freed.
    my $slack = $ENV{AMGR_PRELOAD} || $ENV{AMGR_COVERAGE} ? 64 : 1;
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
    AMGR::Case::Retire::gone($s, $ticker, 30, 'without its parent the ticker '
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
