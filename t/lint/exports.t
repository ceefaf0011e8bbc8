#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The module exports its record and nothing else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir);
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
done_testing();
