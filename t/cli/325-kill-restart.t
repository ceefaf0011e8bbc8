#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing by a ticker that is not there for a moment, that does not answer, and
# that is not there at all: nothing is done twice, and nobody is cut off who
# could have been asked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use Apache::Test qw(-withtestmore);

my $s = AMGR::Case::Kill::socket_server('event');
AMGR::Case::Kill::old_enough($s);
AMGR::Case::Kill::through_a_restart($s);
AMGR::Case::Kill::between_tickers($s);
AMGR::Case::Kill::unanswered($s);
AMGR::Case::Kill::without_a_ticker($s);
$s->stop_ok;
done_testing();
