#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Runs every unit test binary that was built, some at a time, one subtest each.
# None at all is a failure.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir files);
use File::Temp ();
use POSIX ();
use Test::More;

use constant AT_A_TIME => 4;

# What tests that fall leave behind goes with it.  Some become another user.
my $scratch = File::Temp->newdir;
chmod 0755, $scratch;
my @sources = files(qr/_test\.c$/, 't/unit');
my @waiting = map { m{([^/]+)\.c$} } @sources;
my %running; # by pid: what it is, and where it writes to
while (@waiting || %running) {
    while (@waiting && keys %running < AT_A_TIME) {
        my $name = shift @waiting;
        my $binary = build_dir() . "/unit/$name";
        my $out = File::Temp->new;
        my $pid = start($binary, $out) // next;
        $running{$pid} = { name => $name, out => $out };
    }
    my $pid = wait;
    my $status = $?;
    my $ended = delete $running{$pid} // next;
    subtest $ended->{name} => sub { judge($ended->{out}, $status) };
}
done_testing();

# Most of them wait for most of their time.  Returns nothing when there is no
# such program, which is told.
sub start {
    my ($binary, $out) = @_;
    if (!-x $binary) {
        fail("$binary is built");
        return;
    }
    # Unit tests find their fixtures from the top of the checkout.
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    @ENV{qw(CMOCKA_MESSAGE_OUTPUT TMPDIR)} = ('TAP', "$scratch");
    open STDOUT, '>&', $out or POSIX::_exit(126);
    open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
    exec { $binary } $binary or POSIX::_exit(127);
}

# The binary's TAP, line by line.  cmocka prints one plan per group.
sub judge {
    my ($out, $status) = @_;
    my ($planned, $ran, @rest) = (0, 0);
    seek $out, 0, 0 or die "$out: $!\n";
    while (my $line = <$out>) {
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
    cmp_ok($ran, '>', 0, 'something ran');
    is($ran, $planned, 'all that was planned ran');
    is($status, 0, 'exit status 0') or diag(join "\n", @rest);
    return;
}
