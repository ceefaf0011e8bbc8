#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Threads;

AMGR::Case::Threads::run('event');
