#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A server in trouble, under load: whoever can be is killed, stopped and crashed
# at random, it is restarted gracefully, its disk is full, its clock is set,
# pids come round and descriptors run out.  Ends with a table, and with status 1
# if anything was not as it must be.
#
#   make chaos MINUTES=10 MPM=event SEED=7
#   t/chaos/run.pl --minutes 10 --mpm event --seed 7
#
# The seed is printed, and given again makes the same choices; what they meet
# with is as the processes happen to run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use Chaos::Place;
BEGIN { Chaos::Place::enter() }

use AMGR::Httpd ();
use Chaos::Run;
use Getopt::Long qw(GetOptions);
use Test::Builder;

my %opt = (minutes => 10, mpm => 'event', seed => 1 + $$ ^ time);
GetOptions(\%opt, 'minutes=f', 'mpm=s', 'seed=i') && !@ARGV
    && $opt{mpm} =~ /^(?:prefork|worker|event)$/ && $opt{minutes} > 0
    or die "run.pl: --minutes N, --mpm prefork|worker|event, --seed N\n";

STDOUT->autoflush(1);
# What the server library has to say when something fails.
Test::Builder->new->failure_output(\*STDOUT);

$opt{seed} %= 1_000_000;
print "chaos: $opt{mpm}, $opt{minutes} minutes, seed $opt{seed}\n",
    'in ', Chaos::Place::words(), "\n";
my $run = Chaos::Run->new(
    mpm => $opt{mpm}, seed => $opt{seed}, seconds => 60 * $opt{minutes},
    trouble_sec => 15, quiet_sec => 4, bound_sec => 60, restart_sec => 30,
    say => sub { print "$_[0]\n" });
my $report = $run->run;
print "\n", map { "$_\n" } $report->lines;
print $report->failures ? "\nFAILED: " . $report->failures : "\nall held",
    ", $opt{mpm}, seed $opt{seed}\n";
exit($report->failures ? 1 : 0);
