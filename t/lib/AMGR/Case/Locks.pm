# SPDX-License-Identifier: Apache-2.0
#
# A worker that dies with a lock in shared memory: the others wait for ever,
# and the log says so, once.
package AMGR::Case::Locks;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);

sub run {
    my (@mpms) = @_;
    orphaned($_) for @mpms;
    done_testing();
    return;
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '250ms',
                             name => "$mpm-locks");
    my $module = $s->build_object('mod_hold');
    $s->{config} .= <<"END";
LoadModule hold_module $module
<Location "/hold">
    SetHandler hold
    Require local
</Location>
END
    return $s->start;
}

# Process and thread that answer, as soon as they have told.
sub told {
    my ($request, $pattern) = @_;
    my @found;
    wait_until(sub { $request->done; @found = $request->bytes =~ $pattern },
               30, 'an answer');
    return @found;
}

# { total, since_start } as metrics.
sub exported {
    my ($s) = @_;
    return { $s->get('/manager-status/metrics')->content
             =~ /^apache_manager_orphaned_locks_(\w+) (\d+)$/mg };
}

sub orphans { return $_[0]->json->{manager}{orphaned_locks} }

# Requests that wait for the lock, one of them at least in another process.
sub waiters {
    my ($s, $holder) = @_;
    my (@waiting, @elsewhere);
    for (1 .. 12) {
        my $request = $s->start_request('/hold');
        my ($pid) = told($request, qr/pid=(\d+) tid=\d+/) or next;
        push @waiting, $request;
        push @elsewhere, $pid if $pid != $holder;
        last if @elsewhere;
    }
    ok(scalar @elsewhere, $s->name . ': another worker waits');
    return @waiting;
}

# Idle as of a tick that has seen all that waits.
sub idle_worker {
    my ($s) = @_;
    $s->wait_ticks(2);
    my ($pid) = map { $_->{pid} } grep { $_->{kind} eq 'native'
        && !$_->{active} } @{ $s->json->{processes} };
    die "no idle worker\n" unless defined $pid;
    return $pid;
}

# Threads that wait for ever keep their process from ending in order, for which
# httpd would wait for ten seconds.
sub end_workers {
    my ($s) = @_;
    my ($ticker) = $s->ticker_pid;
    kill KILL => grep { $_ != ($ticker // 0) } $s->children;
    return;
}

# Whoever waited is gone with a restart that is not graceful.
sub healed {
    my ($s) = @_;
    ok($s->graceful, 'a graceful restart');
    ok($s->wait_ticks(8), 'and ticks');
    is_deeply(exported($s), { total => 1, since_start => 1 }, 'heals nothing');
    ok($s->restart, 'a restart');
    is_deeply(exported($s), { total => 1, since_start => 0 }, 'does');
    ok($s->wait_ticks(8), 'and ticks');
    is_deeply(exported($s), { total => 1, since_start => 0 },
              'and it stays so');
    return;
}

sub orphaned {
    my ($mpm) = @_;
    my $s = server($mpm);
    my $name = $s->name;
    my $holder = $s->start_request('/hold?secs=60');
    my ($pid, $tid) = told($holder, qr/pid=(\d+) tid=(\d+)[^l]*locked/s);
    ok($tid, "$name: a worker holds the lock") or return $s->stop_ok;
    my @waiting = waiters($s, $pid);

    # While the holder lives a lock is only a lock, whoever else dies.
    if ($mpm eq 'prefork') {
        my $other = idle_worker($s);
        kill KILL => $other;
        ok(wait_until(sub { !AMGR::Httpd::is_alive($other) }, 30, 'its end'),
           "$name: an idle worker dies");
    }
    # Looks that tell are a second apart.
    ok($s->wait_ticks(10), "$name: some ticks");
    is(orphans($s), 0, 'nothing is wrong yet');

    kill KILL => $pid;
    ok(wait_until(sub { orphans($s) }, 30, 'an orphaned lock'),
       "$name: the lock is orphaned");
    ok($s->wait_ticks(10), 'some more');
    is(orphans($s), 1, "$name: counted once");
    my @lines = $s->log_lines(qr/AMGR0025/);
    is(scalar @lines, 1, 'and logged once');
    like($lines[0] // '', qr{\[apache_manager:warn\].*\ AMGR0025:\ orphaned
        \ lock\ in\ /memfd:held\ by\ a\ test\ \(deleted\):\ its\ holder,
        \ thread\ $tid,\ is\ gone\b.*seen:\ [1-9]}x, "$name: by name");
    is_deeply(exported($s), { total => 1, since_start => 1 }, 'and exported');
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], 'status.json obeys its schema');
    # With threads such a process cannot even be ended in order.
    $s->expect_log(qr/AMGR0025/, qr/AH00046/);
    $_->close_now for $holder, @waiting;
    healed($s) if $mpm eq 'prefork';
    end_workers($s);
    $s->stop_ok;
    return;
}

1;
