#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Replays the kept inputs through every fuzz target built by the ordinary
# compiler: t/fuzz/corpus/NAME/* through BUILD/fuzz/NAME, of t/fuzz/fuzz_NAME.c.
# A target without inputs, inputs without a target, a target that was not built
# and one that t/fuzz/README.md does not tell of are failures.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir files);
use Test::More;

my @targets = map { m{/fuzz_([^/]+)\.c$} } files(qr{/fuzz_[^/]+\.c$}, 't/fuzz');
my %known = map { $_ => 1 } @targets;

for my $name (@targets) {
    my $binary = build_dir() . "/fuzz/$name";
    my @inputs = grep { -f } glob "t/fuzz/corpus/$name/*";
    ok(-x $binary, "$binary is built") or next;
    cmp_ok(scalar @inputs, '>', 0, "$name has inputs") or next;
    my $out = join '', run($binary, @inputs);
    is($?, 0, "$name: " . @inputs . ' inputs') or diag($out);
}
my @lost = grep { !$known{$_} } map { m{([^/]+)$} } grep { -d }
    glob 't/fuzz/corpus/*';
is("@lost", '', 'no inputs without a target');
open my $fh, '<', 't/fuzz/README.md' or die "t/fuzz/README.md: $!\n";
my %told = map { $_ => 1 } map { /^\| (`.*?`) \|/ ? $1 =~ /`(\w+)`/g : () } <$fh>;
close $fh;
is_deeply([sort keys %told], [sort @targets], 'README.md tells of each');
done_testing();

sub run {
    my (@command) = @_;
    my $pid = open my $out, '-|';
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec @command or exit 127;
    }
    my @lines = <$out>;
    close $out;
    return @lines;
}
