#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Drain;

AMGR::Case::Drain::http2(retired => 60, restarted => 200,
                         requests => 5_000);
