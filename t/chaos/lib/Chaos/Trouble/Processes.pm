# SPDX-License-Identifier: Apache-2.0
#
# Managed processes, what they have started, their loggers and their guards are
# killed, crash and stop; a guard also together with the supervisor.
package Chaos::Trouble::Processes;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use Chaos::Server;

sub moves {
    return (['managed process killed', 4, 'kill_one'],
            ['managed process stopped', 3, 'stop_one'],
            ['guard killed', 2, 'kill_guard'],
            ['guard stopped', 1, 'stop_guard'],
            ['guard and supervisor killed', 1, 'kill_guard_too']);
}

sub kill_one {
    my ($self) = @_;
    $self->run->touch('backends');
    return $self->strike($self->random->pick(Chaos::Server::processes($self->s)),
        $self->random->pick(qw(KILL KILL SEGV TERM HUP ABRT)),
        'of a managed process');
}

# Whoever asks whether it lives will end it before it goes on, or not.
sub stop_one {
    my ($self) = @_;
    my $pid = $self->random->pick(Chaos::Server::processes($self->s)) or return;
    $self->run->touch('backends');
    return $self->stop_for($pid, $self->random->between(0.3, 8),
                           'of a managed process');
}

sub guard {
    my ($self) = @_;
    $self->run->touch('backends');
    return $self->random->pick(Chaos::Server::guards($self->s));
}

sub kill_guard {
    my ($self) = @_;
    my $guard = $self->guard or return;
    return $self->may_end_guard($guard)
        && $self->strike($guard, 'KILL', 'a guard');
}

sub stop_guard {
    my ($self) = @_;
    my $pid = $self->guard or return;
    return if $self->guard_of_stray($pid);
    return $self->stop_for($pid, $self->random->between(0.3, 5), 'a guard');
}

sub kill_guard_too {
    my ($self) = @_;
    my $supervisor = Chaos::Server::supervisor($self->s) or return;
    my $guard = $self->guard or return;
    return if $self->guard_of_stray($guard) || !$self->may_end_supervisor;
    my $struck = $self->strike($supervisor, 'KILL', 'the supervisor');
    return $self->strike($guard, 'KILL', 'a guard') && $struck;
}

1;
