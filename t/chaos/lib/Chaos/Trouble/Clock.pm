# SPDX-License-Identifier: Apache-2.0
#
# The clock of the day is set forwards and back, for every process of the server
# alike.  It stays so for a while, at times beyond the trouble.
package Chaos::Trouble::Clock;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use Chaos::Server;

use constant HOUR => 3600;

sub moves {
    return (['clock an hour forwards', 2, 'forwards'],
            ['clock an hour back', 2, 'back'],
            ['clock set by seconds', 1, 'little'],
            ['clock right again', 2, 'right']);
}

sub set {
    my ($self, $seconds) = @_;
    my $file = Chaos::Server::clock_file($self->s);
    open my $fh, '+<:raw', $file or die "$file: $!\n";
    syswrite $fh, pack 'q', int($seconds * 1_000_000)
        or die "$file: $!\n";
    close $fh;
    $self->run->touch('clock');
    $self->{now} = $seconds;
    return 1;
}

sub forwards { my ($self) = @_; return $self->set(($self->{now} // 0) + HOUR) }
sub back     { my ($self) = @_; return $self->set(($self->{now} // 0) - HOUR) }

sub little {
    my ($self) = @_;
    return $self->set(($self->{now} // 0) + $self->random->between(-20, 20));
}

sub right {
    my ($self) = @_;
    return $self->{now} ? $self->set(0) : 0;
}

1;
