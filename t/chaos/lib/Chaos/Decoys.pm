# SPDX-License-Identifier: Apache-2.0
#
# Processes that are none of the server's, or children of its parent that are
# no workers, of the same user and of the names that its own have; among them
# such that have got the pid of one that has just ended.  Nobody may signal
# them: all of them live on, and note nothing.
package Chaos::Decoys;

use strict;
use warnings;

use AMGR::Build qw(repo_dir built);
use AMGR::Httpd qw(wait_until);
use Chaos::Place;
use POSIX ();

use constant {
    KEPT     => 24,  # of those with the pid of another
    SOON_SEC => 30,
    NAMES    => [qw(apache2 apache-manager apache-managed)],
};

sub program {
    my $dir = repo_dir() . '/t/lib/c';
    return built('decoy', "$dir/decoy.c", "$dir/decoy.h");
}

sub new {
    my ($class, $s) = @_;
    my $dir = $s->path('decoys');
    mkdir $dir or die "$dir: $!\n";
    chmod 0777, $dir;
    return bless { s => $s, dir => $dir, all => [], program => program(),
                   user => [-1, -1],
                   $> == 0 ? (user => [(getpwnam 'www-data')[2, 3]]) : () },
        $class;
}

# For the server, whose module of the tests forks two of its parent.
sub env {
    my ($self) = @_;
    return (AMGR_DECOY => $self->{program}, AMGR_DECOY_DIR => $self->{dir});
}

sub start {
    my ($self) = @_;
    $self->add($_) for @{ NAMES() };
    for my $name (qw(fork program)) {
        my $file = "$self->{dir}/$name";
        my $pid = wait_until(sub {
            return AMGR::Httpd::slurp("$file.pid") =~ /^(\d+)$/m && $1;
        }, SOON_SEC, "the decoy $name") or die "no decoy $name\n";
        $self->note($pid, "child of the parent ($name)", $file);
    }
    return;
}

sub note {
    my ($self, $pid, $what, $file) = @_;
    my @stat = AMGR::Httpd::stat_fields($pid);
    my $decoy = { pid => $pid, what => $what, file => $file,
                  born => $stat[19] };
    push @{ $self->{all} }, $decoy;
    return $decoy;
}

# One beside the server, with this pid if one is told.
sub add {
    my ($self, $name, $want) = @_;
    my $file = "$self->{dir}/of-" . ++$self->{serial};
    Chaos::Place::set_last_pid($want - 1) if $want;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        # Before it is what it is to be it has no business with signals.
        POSIX::sigprocmask(POSIX::SIG_SETMASK(),
            do { my $all = POSIX::SigSet->new; $all->fillset; $all },
            POSIX::SigSet->new);
        exec { $self->{program} } "/usr/sbin/$name", @{ $self->{user} }, $name,
            $file or POSIX::_exit(127);
    }
    my $decoy = $self->note($pid, $want && $pid == $want
                            ? "$name with a pid that was used before" : $name,
                            $file);
    $decoy->{ours} = 1;
    my @again = grep { $_->{again} } @{ $self->{all} };
    $decoy->{again} = $want && $pid == $want;
    $self->end($again[0]) if @again >= KEPT;
    return $decoy->{again} || !$want;
}

# Ends it, and takes it off the list.
sub end {
    my ($self, $decoy) = @_;
    kill 'KILL', $decoy->{pid};
    waitpid $decoy->{pid}, 0;
    $self->{all} = [grep { $_ != $decoy } @{ $self->{all} }];
    return;
}

# What is wrong with any of them, in words.
sub wrong {
    my ($self) = @_;
    my @wrong;
    my @all = @{ $self->{all} };
    for my $decoy (@all) {
        my @stat = AMGR::Httpd::stat_fields($decoy->{pid});
        my $gone = !@stat || $stat[0] =~ /[ZXTt]/
            || $stat[19] != $decoy->{born};
        my $signals = AMGR::Httpd::slurp($decoy->{file});
        next if !$gone && $signals eq ($decoy->{told} // '');
        $decoy->{told} = $signals;
        push @wrong, "decoy $decoy->{pid}, $decoy->{what}: "
            . ($gone ? 'in state ' . ($stat[0] // 'gone') : '')
            . ($signals ? " got (signal, from, code) $signals" : '');
        $self->{all} = [grep { $_ != $decoy } @{ $self->{all} }] if $gone;
    }
    return @wrong;
}

sub pids { return map { $_->{pid} } @{ $_[0]{all} } }

sub count { return scalar @{ $_[0]{all} } }

# Those of the run; the others end with the server's parent.
sub stop {
    my ($self) = @_;
    my @ours = grep { $_->{ours} } @{ $self->{all} };
    $self->end($_) for @ours;
    return;
}

1;
