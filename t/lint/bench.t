#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The README's table of costs is what `make bench README=1` writes: every row
# there is, none besides, and of each all but the numbers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../bench/lib";

use AMGR::Lint qw(slurp);
use Bench::Fit qw(linear power);
use Bench::Machine;
use Bench::Report;
use Bench::Table;
use Test::More;

my $readme = slurp('README.md');
my ($about, @lines) = Bench::Report::section($readme);
ok(defined $about, 'the README has the table') or BAIL_OUT('no table');
like($about, Bench::Machine::pattern(), 'the machine and the day');
is(scalar @lines, scalar Bench::Table::rows(), 'as many rows as there are');
for my $row (Bench::Table::rows()) {
    like(shift @lines // '', Bench::Report::pattern($row), $row->{what});
}

# A report of invented figures, some of them over their reach, goes into it.
my $report = Bench::Report->new;
{
    open my $null, '>', '/dev/null' or die "/dev/null: $!\n";
    my $stdout = select $null;
    my $value = 0.04;
    for my $row (Bench::Table::rows()) {
        $report->add($row->{key}, base => [(33_514.5) x
                                           Bench::Report::bases($row)],
                     figures => [map { $value *= 1.3 } @{ $row->{figures} }]);
    }
    select $stdout;
}
my $text = $report->into($readme, Bench::Machine::about());
($about, @lines) = Bench::Report::section($text);
like($about, Bench::Machine::pattern(), 'this machine and this day');
my @odd = grep { (shift @lines // '') !~ Bench::Report::pattern($_) }
    Bench::Table::rows();
is("@{[map { $_->{key} } @odd]}", '', 'what it writes is what is looked for');
like($text, qr/\(\*\*over /, 'what is over its reach is marked');
like($text, qr/^## Limits$/m, 'what follows the table is kept');
my $missing = Bench::Report->new;
ok(!eval { $missing->into($readme, 'nothing'); 1 }, 'none goes in by halves');

# Growth of a known kind.
my ($base, $each) = linear(map { [$_, 30 + 4 * $_] } 1, 10, 100);
is(sprintf('%.6f %.6f', $base, $each), '30.000000 4.000000', 'a line');
my ($exponent, $off) = power(map { [$_, 3 * $_ ** 1.5] } 1, 10, 100);
is(sprintf('%.6f %.6f', $exponent, $off), '1.500000 0.000000', 'a power');
(undef, $off) = power([1, 1], [10, 20], [100, 100]);
cmp_ok($off, '>', 0.5, 'which nobody can be sure of');

is(Bench::Report::number(0.0643), '0.064', 'three digits');
is(Bench::Report::number(12_345.6), '12,346', 'thousands');
is(Bench::Report::variation(1 .. 9), '3 to 7 of 9', 'the middle half');
done_testing();
