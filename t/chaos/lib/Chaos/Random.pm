# SPDX-License-Identifier: Apache-2.0
#
# Numbers by chance that are the same again for the same seed, whoever else
# asks perl's own rand.
package Chaos::Random;

use strict;
use warnings;

use constant SPAN => 1 << 32;

sub new {
    my ($class, $seed) = @_;
    # No state of zeros, from which xorshift never comes away.
    my $self = bless { state => $seed * 2654435761 % SPAN || 1 }, $class;
    $self->next for 1 .. 8;
    return $self;
}

sub next { ## no critic
    my ($self) = @_;
    my $x = $self->{state};
    $x ^= $x << 13 & SPAN - 1;
    $x ^= $x >> 17;
    $x ^= $x << 5 & SPAN - 1;
    return $self->{state} = $x;
}

# A whole number from 0 to one less than this.
sub below { my ($self, $count) = @_; return $self->next % $count }

sub between {
    my ($self, $from, $to) = @_;
    return $from + ($to - $from) * $self->next / SPAN;
}

sub chance { my ($self, $part) = @_; return $self->between(0, 1) < $part }

# One of them, or undef of none.
sub pick {
    my ($self, @of) = @_;
    return @of ? $of[$self->below(scalar @of)] : undef;
}

sub shuffle {
    my ($self, @of) = @_;
    for my $i (reverse 1 .. $#of) {
        my $j = $self->below($i + 1);
        @of[$i, $j] = @of[$j, $i];
    }
    return @of;
}

1;
