# SPDX-License-Identifier: Apache-2.0
#
# What each program is to the case that runs it, unless it says otherwise: it
# needs nothing before it is asked, nothing of it stays, and what the text does
# not tell it does not tell either.
package AMGR::Client::Program;

use strict;
use warnings;

sub start {
    my ($class, $place) = @_;
    return bless { place => $place }, $class;
}

sub stop { return }

# Figures that it has where the text has none.
sub default { return {} }

1;
