#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What makes killing dangerous is said at the start, to those whom it concerns.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd;
use Apache::Test qw(-withtestmore);

my $limit = "ManagerMaxTime 1h\n";
my @cases = (
    [ 1, "Mutex posixsem\n$limit" ],
    [ 1, "Mutex sem\n$limit" ],
    [ 0, "Mutex posixsem\n" ],
    [ 0, "Mutex pthread\n$limit" ],
    [ 0, $limit ],
);
for (@cases) {
    my ($warned, $config) = @$_;
    my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                             config => $config);
    $s->start;
    (my $name = $config) =~ s/\n/; /g;
    is(scalar(my @lines = $s->log_lines(qr/AMGR0022: Mutex posixsem: /)),
       $warned, "$name" . ($warned ? 'warned of' : 'fine'));
    $s->expect_log(qr/AMGR0022: /) if $warned;
    $s->stop_ok;
}
done_testing();
