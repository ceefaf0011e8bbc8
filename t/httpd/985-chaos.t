#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `make chaos` in the small, with a seed that is always the same: one phase of
# trouble in which everything that can be done is done once, and one of rest.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../chaos/lib";

use Chaos::Place;
BEGIN { Chaos::Place::enter() }

use AMGR::Httpd ();
use Chaos::Run;
use Test::More;

# What it is nothing without.
my @asserted = ('a graceful restart goes through',
    'all is ready and answers after trouble', 'no counter goes back',
    'no memory grows', 'no number of descriptors or files grows',
    'no orphan and no zombie', 'no part of a data file is seen',
    'no request is lost in a rest', 'no signal to a decoy, and all of them live',
    'nothing is left at the end', 'the server answers');
my @done = ('worker killed', 'worker stopped', 'graceful restart');

my $run = Chaos::Run->new(mpm => 'event', seed => 1, seconds => 1,
    trouble_sec => 7, quiet_sec => 1, bound_sec => 60, restart_sec => 4,
    pace_sec => 0.25, warm_up => 1, once => 1, say => sub { note(@_) });
my $report = $run->run;
is($report->failures, 0, 'nothing failed') or diag(map { "$_\n" } $report->lines);
ok($report->times(asserted => $_), "asserted: $_") for @asserted;
ok($report->times(done => $_), "done: $_") for @done;
cmp_ok($report->kinds('done'), '>=', 15, 'troubles of many kinds');
note(map { "$_\n" } $report->lines);
done_testing();
