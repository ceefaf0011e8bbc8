# SPDX-License-Identifier: Apache-2.0
#
# Somebody of the workers' user forks as much as he can, so that pids come round
# and those of the dead are given to others: at random, and on purpose to one
# who lives on and has the name of a worker.
package Chaos::Trouble::Forks;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use AMGR::Httpd ();
use Chaos::Place;
use Chaos::Server;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    STORM     => 1500,
    STORM_SEC => 4,     # where the machine is that slow
    BEFORE    => 300,   # pids before they come round
    REUSE_SEC => 1,
    POLL_SEC  => 0.002,
};

sub moves {
    return (['fork storm', 2, 'storm'],
            (Chaos::Place::is_own()
             ? (['fork storm round the end of pids', 2, 'storm_round'],
                ['pid of one just killed reused', 5, 'reuse']) : ()));
}

# Beside the run, which goes on.
sub storm {
    my ($self) = @_;
    my $user = $self->run->{decoys}{user};
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        if ($user->[0] >= 0) {
            POSIX::setgid($user->[1]);
            POSIX::setuid($user->[0]);
        }
        my $end = time + STORM_SEC;
        for (1 .. STORM) {
            last if time > $end;
            my $child = fork // next;
            POSIX::_exit(0) if $child == 0;
            waitpid $child, 0;
        }
        POSIX::_exit(0);
    }
    $self->run->reap_later($pid);
    return 1;
}

sub storm_round {
    my ($self) = @_;
    Chaos::Place::set_last_pid(Chaos::Place::pid_max() - BEFORE) or return;
    return $self->storm;
}

# One of them is killed, and as soon as it is reaped another has its pid.
sub reuse {
    my ($self) = @_;
    my ($pid, $name, $what) = $self->victim or return;
    $self->strike($pid, 'KILL', $what) or return;
    my $deadline = time + REUSE_SEC;
    while (-d "/proc/$pid") {
        return if time > $deadline;
        sleep POLL_SEC;
    }
    return $self->run->{decoys}->add($name, $pid);
}

sub victim {
    my ($self) = @_;
    my ($run, $random) = ($self->run, $self->random);
    my @workers = Chaos::Server::workers($self->s, $run->{decoys});
    my $kind = $random->below(6);
    if ($kind == 0 && $self->s->ticker_pid) {
        return (scalar $self->s->ticker_pid, 'apache-manager', 'the ticker');
    }
    if ($kind == 1) {
        $run->touch('backends');
        my $pid = $random->pick(Chaos::Server::processes($self->s),
                                Chaos::Server::guards($self->s)) or return;
        return unless $self->may_end_guard($pid);
        return ($pid, 'apache-managed', 'a guard or its process');
    }
    $run->touch('workers');
    my %is = map { $_ => 1 } @workers;
    my @going = grep { $is{$_} } $run->{log}->going;
    my $pid = $kind < 4 && @going ? $going[-1] : $random->pick(@workers);
    return $pid ? ($pid, 'apache2', 'a worker') : ();
}

1;
