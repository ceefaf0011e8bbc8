# SPDX-License-Identifier: Apache-2.0
#
# A worker that is to be killed while others wait for a lock of its: it gets
# its grace period once more, and not a moment longer than the lock is held.
package AMGR::Case::Holdback;

use strict;
use warnings;

use AMGR::Case::Locks;
use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant {
    # Of the machine.
    SLACK_SEC => 15,
    # With threads others may wait in the very process that holds the lock:
    # then it has this time first, and the same once more for the lock.
    GRACE_SEC => 5,
};

*told    = \&AMGR::Case::Locks::told;
*orphans = \&AMGR::Case::Locks::orphans;
*gone    = \&AMGR::Case::Retire::gone;
*record  = \&AMGR::Case::Retire::record;

sub run {
    my (@mpms) = @_;
    for my $mpm (@mpms) {
        keeps($mpm);
        lets_go($mpm);
        nobody_waits($mpm);
        grows($mpm);
    }
    done_testing();
    return;
}

# A server whose workers share a lock: they hang at /hold after a second, and
# may wait at /wait for as long as they like.
sub server {
    my ($mpm, $name, $limits) = @_;
    $limits //= '';
    my $grace = GRACE_SEC . 's';
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             name => "$mpm-$name");
    my $module = $s->build_object('mod_hold');
    $s->{config} .= <<"END";
LoadModule hold_module $module
ManagerMinAge 100ms
ManagerMaxTime 1s
ManagerGracePeriod $grace
$limits
<Location "/hold">
    SetHandler hold
    Require local
</Location>
<Location "/wait">
    SetHandler hold
    Require local
    ManagerMaxTime Off
</Location>
END
    return $s->start;
}

# The request that holds the lock, its process and its thread.
sub holder {
    my ($s, $args) = @_;
    my $request = $s->start_request("/hold?$args");
    my ($pid, $tid) = told($request, qr/pid=(\d+) tid=(\d+)[^l]*locked/s);
    ok($tid, $s->name . ': a worker holds the lock')
        or die "nobody holds the lock\n";
    return ($request, $pid, $tid);
}

# Requests that wait for it, one of them at least in another process.
sub waiters {
    my ($s, $holder) = @_;
    my (@waiting, @elsewhere);
    for (1 .. 12) {
        my $request = $s->start_request('/wait');
        my ($pid) = told($request, qr/pid=(\d+) tid=\d+/) or next;
        push @waiting, $request;
        push @elsewhere, $request if $pid != $holder;
        last if @elsewhere;
    }
    ok(scalar @elsewhere, $s->name . ': another worker waits');
    return (\@waiting, @elsewhere);
}

# It is over its time by far, and has been put off.
sub put_off {
    my ($s, $pid, $tid) = @_;
    my $name = $s->name;
    my $grace_ms = GRACE_SEC * 1000;
    my @lines;
    ok(wait_until(sub { @lines = $s->log_lines(qr/AMGR0027/) }, 30,
                  'a kill that is put off'), "$name: the kill is put off");
    like($lines[0] // '', qr{\[apache_manager:notice\].*\ AMGR0027:\ worker
        \ $pid\ \(native\)\ is\ not\ killed\ yet,\ for\ at\ most\ $grace_ms\ ms:
        \ it\ holds\ a\ lock\ in\ /memfd:held\ by\ a\ test\ \(deleted\)
        \ \(its\ thread\ $tid;\ seen\ waiting:\ [1-9]}x, 'in words');
    return;
}

sub warned {
    my ($s, $pid, $why) = @_;
    my @lines = $s->log_lines(qr/AMGR0027/);
    is(scalar @lines, 2, $s->name . ': a second line, and no third')
        or diag(join "\n", @lines);
    return like($lines[1] // '', qr{\[apache_manager:warn\].*\ AMGR0027:
        \ worker\ $pid\ \(native\)\ is\ killed\ although\ it\ holds
        .*:\ \Q$why\E}x, 'at warning');
}

# Seconds between two lines of the log, of one night at most.
sub between {
    my ($from, $to) = map { /^\[\w+ \w+ \d+ (\d+):(\d+):([\d.]+) /
        ? ($1 * 60 + $2) * 60 + $3 : die "a line without a time: $_\n" } @_;
    return $to >= $from ? $to - $from : $to - $from + 24 * 60 * 60;
}

# The lock is nobody's any more, and with threads a process that waits for it
# cannot be ended in order.
sub end_with_orphan {
    my ($s, @requests) = @_;
    $s->expect_log(qr/AMGR0025/, qr/AMGR0027.* although /, qr/AH00046/);
    ok(wait_until(sub { orphans($s) }, 30, 'an orphaned lock'),
       $s->name . ': the harm is told');
    $_->close_now for @requests;
    AMGR::Case::Locks::end_workers($s);
    return $s->stop_ok;
}

sub keeps {
    my ($mpm) = @_;
    my $s = server($mpm, 'keeps');
    my $name = $s->name;
    my ($request, $pid, $tid) = holder($s, 'secs=60');
    my ($waiting) = waiters($s, $pid);
    put_off($s, $pid, $tid);
    ok($s->wait_ticks(1), "$name: another tick");
    ok(AMGR::Httpd::is_alive($pid), "$name: it is not killed at once");
    gone($s, $pid, GRACE_SEC + SLACK_SEC, "$name: but in the end");
    my $r = record($s, $pid);
    is($r->{reason}, 'time', 'for its time');
    is($r->{action}, 'kill', 'by force');
    cmp_ok($r->{asked_seconds} // -1, '>=', 0, 'after it was asked');
    warned($s, $pid, 'it did not let go in time');
    my $span = between($s->log_lines(qr/AMGR0027/));
    cmp_ok($span, '>=', GRACE_SEC - 0.1, 'not before its time');
    cmp_ok($span, '<', GRACE_SEC + SLACK_SEC, 'and not long after it');
    end_with_orphan($s, $request, @$waiting);
    return;
}

sub lets_go {
    my ($mpm) = @_;
    my $s = server($mpm, 'lets-go');
    my $name = $s->name;
    my ($request, $pid, $tid) = holder($s, 'secs=60&stay');
    my ($waiting, $other) = waiters($s, $pid);
    put_off($s, $pid, $tid);
    ok($s->wait_ticks(1), "$name: another tick");
    ok(AMGR::Httpd::is_alive($pid), "$name: it is not killed at once");
    is($s->get('/wait?tell')->code, 200, "$name: it is told to let go");
    ok($other->wait(30), "$name: who waited goes on");
    like($other->bytes, qr/locked/, 'with the lock');
    gone($s, $pid, 30, "$name: now it is killed");
    is(record($s, $pid)->{action}, 'kill', 'by force');
    my @lines = $s->log_lines(qr/AMGR0027|AMGR0018/);
    is(scalar @lines, 2, "$name: put off, and killed, and no more")
        or diag(join "\n", @lines);
    cmp_ok(between(@lines), '<', GRACE_SEC, 'before its time');
    # Looks for what is broken are a second apart.
    ok($s->wait_ticks(12), "$name: some more ticks");
    is(orphans($s), 0, 'and nothing is broken');
    $_->close_now for $request, @$waiting;
    $s->stop_ok;
    return;
}

sub nobody_waits {
    my ($mpm) = @_;
    my $s = server($mpm, 'alone');
    my $name = $s->name;
    my ($request, $pid) = holder($s, 'secs=60');
    gone($s, $pid, 30, "$name: nobody waits, and it is killed");
    my $r = record($s, $pid);
    is($r->{action}, 'kill', 'by force');
    is($r->{asked_seconds}, undef, 'at once') if $mpm eq 'prefork';
    is(scalar(my @l = $s->log_lines(qr/AMGR0027/)), 0, 'without a word');
    $request->close_now;
    $s->stop_ok;
    return;
}

sub grows {
    my ($mpm) = @_;
    my $s = server($mpm, 'grows', 'ManagerHardMemory 200M');
    my $name = $s->name;
    my ($request, $pid, $tid) = holder($s, 'secs=60&mb=300');
    my ($waiting) = waiters($s, $pid);
    put_off($s, $pid, $tid);
    ok(AMGR::Httpd::is_alive($pid), "$name: it is not killed at once");
    is($s->get('/wait?tell')->code, 200, "$name: it is told to grow");
    gone($s, $pid, 30, "$name: over the hard limit it is killed at once");
    is(record($s, $pid)->{action}, 'kill', 'by force');
    warned($s, $pid, 'its limit waits for nothing');
    end_with_orphan($s, $request, @$waiting);
    return;
}

1;
