#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Runs every unit test binary that was built, one subtest each.  None at all
# is a failure.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir files);
use Test::More;

my @sources = files(qr/_test\.c$/, 't/unit');
for my $source (@sources) {
    my ($name) = $source =~ m{([^/]+)\.c$};
    my $binary = build_dir() . "/unit/$name";
    if (!-x $binary) {
        fail("$binary is built");
        next;
    }
    subtest $name => sub { run($binary) };
}
done_testing();

# The binary's TAP, line by line.  cmocka prints one plan per group.
sub run {
    my ($binary) = @_;
    local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
    # Unit tests find their fixtures from the top of the checkout.
    open my $tap, '-|', "$binary 2>&1" or die "$binary: $!\n";
    my ($planned, $ran, @rest) = (0, 0);
    while (my $line = <$tap>) {
        if ($line =~ /^1\.\.(\d+)/) {
            $planned += $1;
        }
        elsif ($line =~ /^(not )?ok \d+ *(?:- )?(.*?)( # SKIP.*)?$/i) {
            $ran++;
            ok(!$1 && !$3, $2);
            diag($_) for $1 ? splice @rest : ();
            @rest = ();
        }
        elsif ($line =~ /\S/) {
            chomp $line;
            push @rest, $line;
        }
    }
    my $closed = close $tap;
    cmp_ok($ran, '>', 0, 'something ran');
    is($ran, $planned, 'all that was planned ran');
    ok($closed, 'exit status 0') or diag(join "\n", "status $?", @rest);
    return;
}
