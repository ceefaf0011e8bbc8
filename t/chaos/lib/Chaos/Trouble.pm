# SPDX-License-Identifier: Apache-2.0
#
# What agents of trouble have in common.  An agent is a package with moves():
# a list of [name, weight, method]; a method does it and returns true, or finds
# that there is nothing to do it to.  What has to be undone it leaves to
# $run->later, which is called when the trouble is over at the latest.
package Chaos::Trouble;

use strict;
use warnings;

use AMGR::Httpd ();

sub new {
    my ($class, $run) = @_;
    return bless { run => $run }, $class;
}

sub run    { return $_[0]{run} }
sub s      { return $_[0]{run}{s} } ## no critic
sub random { return $_[0]{run}{random} }

# To one whose fate may have changed since it was looked up: it is written down
# before it happens.
sub strike {
    my ($self, $pid, $signal, $what) = @_;
    return unless $pid && AMGR::Httpd::is_alive($pid);
    $self->{run}{struck}{$pid} = "$signal, $what";
    return kill $signal, $pid;
}

# And let go on after so many seconds.
sub stop_for {
    my ($self, $pid, $seconds, $what) = @_;
    my ($born) = (AMGR::Httpd::stat_fields($pid))[19];
    $self->strike($pid, 'STOP', $what) or return;
    $self->{run}{stopped}{$pid} = 1;
    $self->{run}->later($seconds, sub {
        delete $self->{run}{stopped}{$pid};
        my ($now) = (AMGR::Httpd::stat_fields($pid))[19];
        kill 'CONT', $pid if defined $now && $now == $born;
    });
    return 1;
}

1;
