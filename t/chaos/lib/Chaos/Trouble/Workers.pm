# SPDX-License-Identifier: Apache-2.0
#
# Workers are killed, crash and stop.
package Chaos::Trouble::Workers;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use Chaos::Server;

sub moves {
    return (['worker killed', 4, 'kill_one'], ['worker crashed', 3, 'crash'],
            ['worker stopped', 3, 'stop'], ['half of all workers killed', 1,
             'kill_many'], ['retiring worker killed', 2, 'kill_retiring']);
}

sub workers {
    my ($self) = @_;
    my $run = $self->run;
    return grep { !$run->{stopped}{$_} }
        Chaos::Server::workers($self->s, $run->{decoys});
}

sub one { my ($self) = @_; return $self->random->pick($self->workers) }

sub hit {
    my ($self, $pid, $signal) = @_;
    $self->run->touch('workers');
    return $self->strike($pid, $signal, 'a worker');
}

sub kill_one { my ($self) = @_; return $self->hit($self->one, 'KILL') }

sub crash {
    my ($self) = @_;
    return $self->hit($self->one,
                      $self->random->pick(qw(SEGV ABRT BUS FPE)));
}

# Never all of them: who serves otherwise is nobody's fault.
sub stop {
    my ($self) = @_;
    my @all = $self->workers;
    my $stopped = () = keys %{ $self->run->{stopped} };
    return if @all < 3 || $stopped >= @all / 2;
    $self->run->touch('workers');
    $self->run->{log}{any_stopped} = 1;
    return $self->stop_for($self->random->pick(@all),
                           $self->random->between(0.3, 12), 'a worker');
}

sub kill_many {
    my ($self) = @_;
    my @all = $self->random->shuffle($self->workers);
    return scalar grep { $self->hit($_, 'KILL') } @all[0 .. $#all / 2];
}

# One that was told to go dies in another way than it was asked for.
sub kill_retiring {
    my ($self) = @_;
    my %is = map { $_ => 1 } $self->workers;
    my ($pid) = grep { $is{$_} } reverse $self->run->{log}->going;
    return $pid && $self->hit($pid, 'KILL');
}

1;
