#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every metric stands once in the table of the code, and with its type in the
# README; its name follows the rules of Prometheus, and stands nowhere else in
# the code.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp sources without_comments);
use Test::More;

my $file = 'src/render/metric_table.c';
my $table = without_comments(slurp($file));
my (%code, %unit, %count);
while ($table =~ /^\s*(NATIVE|COMPAT)\(\s*"(\w+)",\s*([A-Z]+),\s*"(\w*)",/mg) {
    my ($set, $name, $type, $unit) = ($1, $2, lc $3, $4);
    my $full = ($set eq 'COMPAT' ? 'apache_' : 'apache_manager_') . $name
        . ($type eq 'counter' ? '_total' : '');
    $code{$full} = $type;
    $unit{$full} = $unit;
    $count{$full}++;
}
cmp_ok(scalar keys %code, '>', 40, 'the table has rows');
is(scalar(() = $table =~ /^\s*(?:NATIVE|COMPAT)\(/mg), scalar keys %code,
   'each row was read, and no name stands twice');

my %manual;
my $readme = slurp('README.md');
while ($readme =~ /^\| `(apache_\w+)` \| (\w+) \|/mg) {
    ok(!exists $manual{$1}, "README.md: $1 once");
    $manual{$1} = $2;
}
is(lines(\%manual), lines(\%code), 'README.md: these and no others');

for my $name (sort keys %code) {
    my ($type, $unit) = ($code{$name}, $unit{$name});
    like($name, qr/^[a-z][a-z0-9_]*$/, "$name: letters");
    unlike($name, qr/_(?:total|count|sum|bucket|created)$/,
           "$name: an end of its own") if $type ne 'counter';
    like($name, qr/_\Q$unit\E(?:_total)?$/, "$name: ends in its unit")
        if $unit;
}

# Written in full they would be a second source.
for my $source (grep { $_ ne $file } sources()) {
    my $text = without_comments(slurp($source));
    my @said;
    for my $name (keys %code) {
        push @said, $name if $text =~ /"[^"\n]*\b\Q$name\E\b/;
    }
    is("@said", '', "$source names no metric");
}

sub lines {
    my ($types) = @_;
    return join "\n", map { "$_ $types->{$_}" } sort keys %$types;
}

done_testing();
