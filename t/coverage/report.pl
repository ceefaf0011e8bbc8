#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# report.pl LCOV UNCOVERED: line coverage by folder, the files with most lines
# that did not run, and the total, which has to be 90 %.  UNCOVERED gets every
# line that did not run.
#
# clang counts every line between the braces of a function; here comments,
# blank lines, lone braces and the declarations at the top of a block do not
# count, since they would make the figure a better one than it is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp sources without_comments);
use Cwd ();
use File::Basename qw(dirname);

use constant {
    LEAST_PERCENT => 90,
    WORST_FILES   => 20,
};

my ($lcov, $uncovered) = @ARGV;
die "usage: report.pl LCOV UNCOVERED\n" unless defined $uncovered;

my %runs = runs_of($lcov);
my %of;  # folder or file => [lines, lines that ran]
open my $out, '>', $uncovered or die "$uncovered: $!\n";
for my $file (grep { /\.c$/ } sources()) {
    my $runs = $runs{$file} // {};
    my @lines = split /\n/, slurp($file);
    my @code = split /\n/, without_comments(slurp($file));
    die "$file has no counters\n" unless %$runs || !grep { /^\{/ } @code;
    for my $n (sort { $a <=> $b } keys %$runs) {
        next unless counts($code[$n - 1]);
        for my $name ($file, dirname($file), 'total') {
            $of{$name}[0]++;
            $of{$name}[1] += $runs->{$n} > 0;
        }
        printf {$out} "%s:%d: %s\n", $file, $n, $lines[$n - 1]
            unless $runs->{$n} > 0;
    }
}
close $out or die "$uncovered: $!\n";

print "\nLines that ran, by folder:\n";
row($_) for sort grep { !/\.c$/ && $_ ne 'total' } keys %of;
print "\nThe files with most lines that did not:\n";
my @worst = sort { missed($b) <=> missed($a) || $a cmp $b }
    grep { /\.c$/ } keys %of;
row($_) for grep { missed($_) } @worst[0 .. WORST_FILES - 1];
print "\n";
row('total');
print "Each line that did not run is in $uncovered.\n";
my $percent = percent('total');
if ($percent < LEAST_PERCENT) {
    printf "%.1f %% is less than %d %%\n", $percent, LEAST_PERCENT;
    exit 1;
}

# file => { line => how often it ran }.
sub runs_of {
    my ($name) = @_;
    my $here = Cwd::getcwd();
    my (%found, $file);
    for (split /\n/, slurp($name)) {
        if (/^SF:(?:\Q$here\E\/)?(.*)/) {
            $file = $1;
        }
        elsif (/^DA:(\d+),(\d+)/) {
            $found{$file}{$1} += $2;
        }
    }
    return %found;
}

# Whether a line without its comments does anything.
sub counts {
    my ($code) = @_;
    return $code =~ /\w/
        && $code !~ /^\s*(?:else|do)?\s*\{?$/
        && $code !~ /^\s*(?:static |const |struct |unsigned )*
                      [a-z_]\w*\s[\s*]*\w+(?:\[\w*\])*;$/x
        && $code !~ /^\w/; # the head of a function, a label
}

sub missed { my ($name) = @_; return $of{$name}[0] - $of{$name}[1] }

sub percent {
    my ($name) = @_;
    return $of{$name}[0] ? 100 * $of{$name}[1] / $of{$name}[0] : 100;
}

sub row {
    my ($name) = @_;
    printf "  %-44s %6d of %6d %6.1f %%\n", $name, $of{$name}[1],
        $of{$name}[0], percent($name);
    return;
}
