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
use Chaos::Server;
use Time::HiRes qw(time);

use constant ADOPTED_SEC => 3;

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

# What has left the session of its run is found by nobody where its guard and
# their supervisor are killed together: that is a limit of the module, which
# says so.  One of the processes here has such a child.
sub guard_of_stray {
    my ($self, $guard) = @_;
    return grep { AMGR::Httpd::slurp("/proc/$_/cmdline") =~ /holder\.pl/ }
        $self->s->children($guard);
}

sub may_end_guard {
    my ($self, $guard) = @_;
    return 1 unless $self->guard_of_stray($guard);
    my $supervisor = Chaos::Server::supervisor($self->s) or return;
    return if $self->run->{stopped}{$supervisor};
    $self->run->{guard_ended} = time;
    return 1;
}

# Not before it has taken over what such a guard has left.
sub may_end_supervisor {
    my ($self) = @_;
    return time > ($self->run->{guard_ended} // 0) + ADOPTED_SEC;
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
