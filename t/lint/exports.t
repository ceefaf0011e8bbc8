#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The module exports its record and nothing else, and no two of its functions,
# nor of the tool's, have one name.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir files slurp without_comments);
use Test::More;

my $module = $ENV{AMGR_MODULE} // build_dir() . '/mod_apache_manager.so';
-e $module or die "$module is not built\n";
open my $nm, '-|', 'nm', '-D', '--defined-only', $module or die "nm: $!\n";
my @symbols = map { (split)[-1] } <$nm>;
close $nm or die "nm failed\n";
is("@symbols", 'apache_manager_module', "$module exports one symbol");

# What every child carries: nothing but the platform.
open my $elf, '-|', 'readelf', '-d', $module or die "readelf: $!\n";
my @needed = map { /\(NEEDED\).*\[(.*?)\.so/ ? $1 : () } <$elf>;
close $elf or die "readelf failed\n";
my @more = grep { !/^(?:libc|libm|libasan|libubsan|libtsan|libgcc_s|ld-linux.*
                      |libapr-1|libaprutil-1)$/x } @needed;
is("@more", '', "$module needs no further library");

# Module and tool are linked of some of the same objects, never of all: the
# linker would not find two of a name.
my %where;
for my $file (files(qr/\.c$/, 'src')) {
    my $text = without_comments(slurp($file));
    push @{ $where{$1} }, $file
        while $text =~ /^(?!static\b)[a-z][\w\s*]*?\b(amgr_\w+)\([^;{}]*\)\s*\{/mg;
}
cmp_ok(scalar keys %where, '>', 1000, 'functions are found');
is(join('; ', map { "$_ in @{ $where{$_} }" }
        grep { @{ $where{$_} } > 1 } sort keys %where), '',
   'each has a name of its own');
done_testing();
