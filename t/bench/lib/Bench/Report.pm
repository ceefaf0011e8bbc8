# SPDX-License-Identifier: Apache-2.0
#
# The table: name, measured, reach, verdict, and a note on how it varied.
package Bench::Report;

use strict;
use warnings;

use List::Util qw(max min);

use Exporter qw(import);
our @EXPORT_OK = qw(median spread);

use constant FORMAT => "%-52s %12s %10s  %-6s %s\n";

sub new { my ($class) = @_; return bless { failures => 0 }, $class }

sub failures { return $_[0]{failures} }

sub head {
    printf FORMAT, 'name', 'measured', 'reach', '', 'noise';
    return;
}

# A figure with its unit; a reach of undef: only for information.
sub row {
    my ($self, $name, $value, $unit, $reach, $note) = @_;
    printf FORMAT, $name, number($value) . $unit,
        defined $reach ? number($reach) . $unit : '-',
        !defined $reach ? '-' : $value <= $reach ? 'ok' : 'over',
        $note // '';
    return;
}

# What is compared with something of the same run.
sub ratio {
    my ($self, $name, $value, $note) = @_;
    return $self->row($name, $value, ' x', undef, $note);
}

sub failed {
    my ($self, $name, $why) = @_;
    chomp $why;
    $self->{failures}++;
    printf FORMAT, $name, '-', '-', 'FAILED', $why;
    return;
}

sub foot {
    my ($self, $seconds) = @_;
    printf "%.0f s%s\n", $seconds,
        $self->{failures} ? ", $self->{failures} not measured" : '';
    return;
}

# Three digits that mean something.
sub number {
    my ($value) = @_;
    my $size = abs $value;
    return sprintf '%.0f', $value if $size >= 100 || $value == int $value;
    return sprintf '%.1f', $value if $size >= 10;
    return sprintf '%.2f', $value if $size >= 0.1;
    return sprintf '%.4f', $value;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    die "a median of nothing\n" unless @sorted;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# "1.90-2.10, n=12"
sub spread {
    my @values = @_;
    return sprintf '%s-%s, n=%d', number(min @values), number(max @values),
        scalar @values;
}

1;
