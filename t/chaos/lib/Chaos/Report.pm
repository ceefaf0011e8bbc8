# SPDX-License-Identifier: Apache-2.0
#
# What was done how often, what was asserted how often, and what failed: when,
# and what the log said around it.
package Chaos::Report;

use strict;
use warnings;

use List::Util qw(max);
use Time::HiRes qw(time);

use constant {
    BEFORE   => 12,  # lines of the log
    AFTER    => 8,
    SHOWN    => 20,  # failures in full; all are counted
    TAIL     => 65536,
    COLUMNS  => 240,
    FORMAT   => "%-46s %10s %8s\n",
};

sub new {
    my ($class, $log_file) = @_;
    return bless { log_file => $log_file, begun => time, order => {},
                   count => {}, failed => {}, failures => [] }, $class;
}

# A row, of a part of the table; counted in the order of their first call.
sub count {
    my ($self, $part, $name, $by) = @_;
    my $rows = $self->{count}{$part} //= {};
    push @{ $self->{order}{$part} }, $name unless exists $rows->{$name};
    $rows->{$name} += $by // 1;
    return;
}

sub done { my ($self, $name) = @_; return $self->count('done', $name) }

# What a run met with that is no failure: requests, losses, restarts.
sub met { my ($self, $name, $by) = @_; return $self->count('met', $name, $by) }

sub asserted {
    my ($self, $name, $by) = @_;
    return $self->count('asserted', $name, $by);
}

sub failed {
    my ($self, $name, $why) = @_;
    $self->asserted($name, 0); # it has a row, whatever else was asserted
    $self->{failed}{$name}++;
    push @{ $self->{failures} },
        { name => $name, why => $why, seconds => time - $self->{begun},
          offset => -s $self->{log_file} // 0 };
    return 0;
}

# One assertion.
sub check {
    my ($self, $ok, $name, $why) = @_;
    $self->asserted($name);
    return $ok ? 1 : $self->failed($name, ref $why ? $why->() : $why);
}

sub failures { return scalar @{ $_[0]{failures} } }

# How often this was done, asserted or met with; of how many kinds.
sub times { ## no critic
    my ($self, $part, $name) = @_;
    return $self->{count}{$part}{$name} // 0;
}

sub kinds {
    my ($self, $part) = @_;
    return scalar keys %{ $self->{count}{$part} // {} };
}

# The lines of the log before this place and behind it.
sub around {
    my ($self, $offset) = @_;
    open my $log, '<:raw', $self->{log_file} or return;
    my $from = max 0, $offset - TAIL;
    seek $log, $from, 0;
    read $log, my $before, $offset - $from;
    read $log, my $after, TAIL;
    my @before = split /\n/, $before // '';
    my @after = split /\n/, $after // '';
    splice @before, 0, @before - BEFORE if @before > BEFORE;
    splice @after, AFTER if @after > AFTER;
    return map { substr $_, 0, COLUMNS } @before, '---- here ----', @after;
}

# As lines, so that a test can show them too.
sub lines {
    my ($self) = @_;
    my @lines;
    my %title = (done => ['done', 'times', ''],
                 asserted => ['asserted', 'times', 'failed'],
                 met => ['met with', 'times', '']);
    for my $part (grep { $self->{order}{$_} } qw(done met asserted)) {
        push @lines, sprintf FORMAT, @{ $title{$part} };
        for my $name (sort @{ $self->{order}{$part} }) {
            push @lines, sprintf FORMAT, "  $name",
                $self->{count}{$part}{$name},
                $part eq 'asserted' ? $self->{failed}{$name} // 0 : '';
        }
    }
    my @shown = @{ $self->{failures} };
    splice @shown, SHOWN if @shown > SHOWN;
    for my $failure (@shown) {
        push @lines, sprintf "\nFAILED after %.1f s: %s: %s\n",
            @$failure{qw(seconds name why)};
        push @lines, map { "    $_\n" } $self->around($failure->{offset});
    }
    chomp @lines;
    return @lines;
}

1;
