# SPDX-License-Identifier: Apache-2.0
#
# The parent, the ticker, the supervisor or a guard has no descriptor left: its
# limit is lowered to the first that is free, while it runs.
package Chaos::Trouble::Descriptors;

use strict;
use warnings;

use parent 'Chaos::Trouble';

use AMGR::Httpd ();
use Chaos::Server;

sub moves {
    return (['ticker without descriptors', 3, 'ticker'],
            ['supervisor without descriptors', 3, 'supervisor'],
            ['guard without descriptors', 1, 'guard'],
            ['parent without descriptors', 2, 'parent']);
}

sub first_free {
    my ($pid) = @_;
    my $fd = 0;
    $fd++ while -l "/proc/$pid/fd/$fd";
    return $fd;
}

sub set {
    my ($pid, $soft) = @_;
    return system("prlimit --pid $pid --nofile=$soft: 2>/dev/null") == 0;
}

sub exhaust {
    my ($self, $pid, $most_sec, $then) = @_;
    return if !$pid || $self->run->{busy}{"limit $pid"};
    my ($soft) = AMGR::Httpd::slurp("/proc/$pid/limits")
        =~ /^Max open files\s+(\d+)/m or return;
    set($pid, first_free($pid)) or return;
    $self->run->{busy}{"limit $pid"} = 1;
    $self->run->later($self->random->between(0.5, $most_sec), sub {
        set($pid, $soft) if -d "/proc/$pid";
        delete $self->run->{busy}{"limit $pid"};
        $then->($soft) if $then;
    });
    return 1;
}

sub ticker {
    my ($self) = @_;
    return $self->exhaust(scalar $self->s->ticker_pid, 6);
}

# What it starts meanwhile has its limits.
sub supervisor {
    my ($self) = @_;
    my $pid = Chaos::Server::supervisor($self->s) or return;
    $self->run->touch('backends');
    return $self->exhaust($pid, 5, sub { heal($self, $pid, $_[0]) });
}

sub guard {
    my ($self) = @_;
    $self->run->touch('backends');
    return $self->exhaust(
        $self->random->pick(Chaos::Server::guards($self->s)), 5);
}

# What it forks has as many as ever (t/lib/c/fork_limit.c), since httpd ends where
# a worker cannot have what it needs; so it does at a restart where it cannot
# open its logs, which is not provoked either.
sub parent {
    my ($self) = @_;
    return if $self->run->restart_is_near;
    return $self->exhaust($self->s->parent_pid, 12);
}

# Whoever was forked in between has its parent's limit.
sub heal {
    my ($self, $pid, $soft) = @_;
    for my $child ($self->s->children($pid)) {
        my ($low) = AMGR::Httpd::slurp("/proc/$child/limits")
            =~ /^Max open files\s+(\d+)/m or next;
        set($child, $soft) if $low < $soft;
        heal($self, $child, $soft);
    }
    return;
}

1;
