#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Drain;

AMGR::Case::Drain::run('event', tls => 1, name => 'tls', retired => 30,
                       restarted => 60, requests => 20_000);
