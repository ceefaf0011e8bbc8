# SPDX-License-Identifier: Apache-2.0
#
# How a figure grows with a size.
package Bench::Fit;

use strict;
use warnings;

use List::Util qw(sum0);

use Exporter qw(import);
our @EXPORT_OK = qw(linear power);

# Student's t, both sides, 95 %, by degrees of freedom.
my @t95 = (undef, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306);

# y = base + each * x over points [x, y], by least squares of the relative
# errors, so that small ones count as much as large ones.
sub linear {
    my @points = @_;
    my ($base, $each) = line(map { [@$_, 1 / $_->[1] ** 2] } @points);
    return ($base, $each);
}

# y = c * x ** exponent: the exponent, and by how much it is off at most with a
# confidence of 95 %.
sub power {
    my @points = map { [log $_->[0], log $_->[1], 1] } @_;
    my ($base, $each) = line(@points);
    my $mean = sum0(map { $_->[0] } @points) / @points;
    my $freedom = @points - 2;
    my $t = $t95[$freedom] // die "points for a fit: too few or too many\n";
    my $off = sum0 map { ($_->[1] - $base - $each * $_->[0]) ** 2 } @points;
    my $wide = sum0 map { ($_->[0] - $mean) ** 2 } @points;
    return ($each, $t * sqrt($off / $freedom / $wide));
}

# Points [x, y, weight].
sub line {
    my @points = @_;
    my $w = sum0 map { $_->[2] } @points;
    my $x = sum0(map { $_->[2] * $_->[0] } @points) / $w;
    my $y = sum0(map { $_->[2] * $_->[1] } @points) / $w;
    my $each = sum0(map { $_->[2] * ($_->[0] - $x) * ($_->[1] - $y) } @points)
        / sum0(map { $_->[2] * ($_->[0] - $x) ** 2 } @points);
    return ($y - $each * $x, $each);
}

1;
