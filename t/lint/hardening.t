#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What is loaded into a server, and the programs that root runs beside it, are
# hardened as Debian builds its own: nothing that is resolved late can be
# overwritten, no stack is executable, programs are loaded anywhere, buffers are
# checked.  AMGR_FORTIFIED=yes: what is built is a package's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir);
use Test::More;

my $build = build_dir();

sub output_of {
    my (@command) = @_;
    open my $fh, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $out = <$fh>;
    close $fh or die "@command failed\n";
    return $out;
}

for my $name (qw(mod_apache_manager.so apache-manager apache-manager-fetch)) {
    my $file = "$build/$name";
    -e $file or die "$file is not built\n";
    my $segments = output_of('readelf', '-lW', $file);
    my $dynamic = output_of('readelf', '-dW', $file);
    my $symbols = output_of('nm', '-D', $file);
    ok($segments =~ /^\s*GNU_RELRO\s/m, "$name: RELRO");
    ok($dynamic =~ /\(FLAGS_1\).*\bNOW\b/, "$name: all of it, at its start");
    ok($segments =~ /^\s*GNU_STACK(?:\s+0x\w+){5}\s+RW\s/m,
       "$name: a stack that is data");
    ok($segments !~ /^\s*LOAD(?:\s+0x\w+){5}\s+RWE/m,
       "$name: nothing that can be written and executed");
    ok($dynamic !~ /\((?:TEXTREL|RPATH|RUNPATH)\)/,
       "$name: neither text relocations nor a path of its own");
    ok($symbols =~ / U __stack_chk_fail\b/, "$name: stack protector");
    ok($symbols =~ / U __(?!stack)\w+_chk\b/, "$name: fortified functions")
        if ($ENV{AMGR_FORTIFIED} // '') eq 'yes';
    next if $name =~ /\.so$/;
    ok($dynamic =~ /\(FLAGS_1\).*\bPIE\b/,
       "$name: position independent executable");
}
done_testing();
