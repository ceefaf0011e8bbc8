#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing by the ticker, which the tool asks over its control socket: on event
# too whatever is in flight is finished.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use Apache::Test qw(-withtestmore);

for my $mpm (qw(prefork event)) {
    my $s = AMGR::Case::Kill::socket_server($mpm);
    my ($env, $lines) = AMGR::Case::Kill::syslog($s);
    AMGR::Case::Kill::old_enough($s);
    AMGR::Case::Kill::as_user($s);
    AMGR::Case::Kill::by_ticker($s, $env);
    AMGR::Case::Kill::counted("$mpm, by the ticker", [$lines->()],
                              active => 1, idle => 0);
    AMGR::Case::Kill::vetoed($s) if $mpm eq 'prefork';
    $s->stop_ok;
}
AMGR::Case::Kill::of_another_user();
done_testing();
