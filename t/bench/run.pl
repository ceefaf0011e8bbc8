#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the module costs, measured in one run on private servers of 127.0.0.1.
#
#   make bench
#   t/bench/run.pl request memory      these measurements alone
#
# A figure over its reach is marked "over" and fails nothing; a measurement
# that could not be made ends the run with status 1.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use AMGR::Httpd ();
use Bench::Clients;
use Bench::Memory;
use Bench::Page;
use Bench::Reaction;
use Bench::Report;
use Bench::Request;
use Bench::Throughput;
use Bench::Tick;
use Bench::Tool;
use Test::Builder;
use Time::HiRes qw(time);

# Each adds its rows to the report, or dies and says why.
my @measurements = (
    [ticks      => \&Bench::Tick::hook_and_small_ticker],
    [large      => \&Bench::Tick::large_ticker],
    [page       => \&Bench::Page::measure],
    [clients    => \&Bench::Clients::measure],
    [request    => \&Bench::Request::measure],
    [memory     => \&Bench::Memory::measure],
    [reaction   => \&Bench::Reaction::measure],
    [throughput => \&Bench::Throughput::measure],
    [tool       => \&Bench::Tool::measure],
);

# An interrupted run takes its servers with it: their END block stops them.
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
STDOUT->autoflush(1);

# What the server library has to say when something fails, logs included.
my $log = AMGR::Httpd::build_dir() . '/bench.log';
Test::Builder->new->failure_output($log);

my %known = map { $_->[0] => 1 } @measurements;
for my $name (@ARGV) {
    $known{$name} or die "run.pl: no measurement '$name' (there are: "
        . join(' ', map { $_->[0] } @measurements) . ")\n";
}
my %wanted = map { $_ => 1 } @ARGV ? @ARGV : keys %known;

my $report = Bench::Report->new;
my $begun = time;
$report->head;
for my $measurement (grep { $wanted{ $_->[0] } } @measurements) {
    my ($name, $measure) = @$measurement;
    eval { $measure->($report); 1 } or $report->failed($name, $@);
}
$report->foot(time - $begun);
print "logs of the servers: $log\n" if $report->failures;
exit($report->failures ? 1 : 0);
