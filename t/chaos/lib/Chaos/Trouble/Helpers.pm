# SPDX-License-Identifier: Apache-2.0
#
# The module's own processes: ticker and supervisor are killed, told to end,
# crash and stop.
package Chaos::Trouble::Helpers;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use Chaos::Server;

sub moves {
    return (['ticker killed', 3, 'kill_ticker'],
            ['ticker stopped', 2, 'stop_ticker'],
            ['supervisor killed', 2, 'kill_supervisor'],
            ['supervisor stopped', 2, 'stop_supervisor'],
            ['both killed', 1, 'kill_both']);
}

sub signal_of_an_end {
    my ($self) = @_;
    return $self->random->pick(qw(KILL KILL SEGV ABRT TERM));
}

sub kill_ticker {
    my ($self) = @_;
    return $self->strike(scalar $self->s->ticker_pid, $self->signal_of_an_end,
                         'the ticker');
}

# Its parent takes it for dead after five seconds.
sub stop_ticker {
    my ($self) = @_;
    my $pid = $self->s->ticker_pid or return;
    return $self->stop_for($pid, $self->random->between(0.5, 15),
                           'the ticker');
}

sub kill_supervisor {
    my ($self) = @_;
    $self->may_end_supervisor or return;
    $self->run->touch('backends');
    return $self->strike(Chaos::Server::supervisor($self->s),
                         $self->signal_of_an_end, 'the supervisor');
}

sub stop_supervisor {
    my ($self) = @_;
    $self->may_end_supervisor or return;
    my $pid = Chaos::Server::supervisor($self->s) or return;
    $self->run->touch('backends');
    return $self->stop_for($pid, $self->random->between(0.5, 12),
                           'the supervisor');
}

sub kill_both {
    my ($self) = @_;
    my $struck = $self->kill_ticker;
    return $self->kill_supervisor && $struck;
}

1;
