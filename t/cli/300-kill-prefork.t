#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing by the tool itself: the server has no control socket.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use Apache::Test qw(-withtestmore);

my $s = AMGR::Case::Kill::server('prefork', 'alone',
                                 "ManagerGracePeriod 10s\n");
my ($env, $lines) = AMGR::Case::Kill::syslog($s);
AMGR::Case::Kill::old_enough($s);
AMGR::Case::Kill::without_a_kill($s);
AMGR::Case::Kill::as_user($s);
AMGR::Case::Kill::max_kills($s);
$lines->();
AMGR::Case::Kill::idle($s, $env);
AMGR::Case::Kill::hanging($s, $env);
AMGR::Case::Kill::wsgi($s, $env);
AMGR::Case::Kill::in_flight($s, $env);
AMGR::Case::Kill::counted('by itself', [$lines->()], active => 2, idle => 1,
                          wsgi => 1);
$s->set_config($s->{config} =~ s/ManagerGracePeriod 10s/ManagerGracePeriod 1s/r);
$s->restart;
AMGR::Case::Kill::old_enough($s);
AMGR::Case::Kill::stuck($s);
$s->stop_ok;
AMGR::Case::Kill::of_a_stopped_server($s);
done_testing();
