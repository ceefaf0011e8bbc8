# SPDX-License-Identifier: Apache-2.0
#
# A real terminal for tests: a shell in a private tmux, typed at and looked at.
#
#   my $t = AMGR::Tmux->new(60, 12, NO_COLOR => 1);  # columns, rows, environment
#   $t->type('apache-manager --watch', 'Enter');     # as send-keys has them
#   $t->shows(qr/Workers/, 'the watch');             # a test; polls
#   $t->resize(200, 50);
#
# The server of this tmux is nobody else's, and ends with the test.
package AMGR::Tmux;

use strict;
use warnings;

use AMGR::Httpd qw(build_dir);
use File::Temp ();
use Test::Builder;
use Time::HiRes qw(sleep time);

use constant {
    POLL_SEC => 0.03,
    SHOW_SEC => 20, # generous: sanitizers and loaded machines
};

my $serial = 0;
my %running;
my $owner = $$;

sub new {
    my ($class, $columns, $rows, %env) = @_;
    my $self = bless {
        dir => File::Temp::tempdir('amgr-tmux-XXXXXX', TMPDIR => 1,
                                   CLEANUP => 1),
        name => "amgr-$$-" . ++$serial,
    }, $class;
    my $path = build_dir() . ":$ENV{PATH}";
    # Nothing of the caller's reaches the program but what is said here.
    my @env = ('env', '-i', "PATH=$path", 'HOME=/nonexistent', 'LC_ALL=C.UTF-8',
               'TERM=screen', 'PS1=ready> ', map { "$_=$env{$_}" } keys %env);
    $running{$self} = $self;
    $self->tmux('-f', '/dev/null', 'new-session', '-d', '-x', $columns, '-y',
                $rows, @env, 'bash', '--norc', '--noprofile');
    return $self;
}

# What one command of tmux says; it must succeed.
sub tmux {
    my ($self, @command) = @_;
    local $ENV{TMUX_TMPDIR} = $self->{dir};
    local $ENV{LC_ALL} = 'C.UTF-8';
    delete local $ENV{TMUX};
    open my $out, '-|:encoding(UTF-8)', 'tmux', '-u', '-L', $self->{name},
        @command or die "tmux: $!\n";
    local $/;
    my $text = <$out> // '';
    close $out or die "tmux @command: status $?\n";
    return $text;
}

sub type {
    my ($self, @keys) = @_;
    $self->tmux('send-keys', @keys);
    return $self;
}

sub resize {
    my ($self, $columns, $rows) = @_;
    $self->tmux('resize-window', '-x', $columns, '-y', $rows);
    return $self;
}

# The screen as text; with @how, as capture-pane has it (-e: with sequences).
sub screen {
    my ($self, @how) = @_;
    return $self->tmux('capture-pane', '-p', @how);
}

sub lines { return split /\n/, $_[0]->screen }

# A test: the screen comes to match, or to meet the condition.
sub shows {
    my ($self, $what, $name) = @_;
    my $test = Test::Builder->new;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $deadline = time + SHOW_SEC;
    my $screen;
    while (1) {
        $screen = $self->screen;
        last if ref $what eq 'CODE' ? $what->($screen) : $screen =~ $what;
        if (time > $deadline) {
            $test->ok(0, $name);
            $test->diag("what is not there: $what", $screen);
            return 0;
        }
        sleep POLL_SEC;
    }
    return $test->ok(1, $name);
}

# Process that runs in front; the shell itself when nothing does.
sub shell_pid {
    my ($self) = @_;
    my ($pid) = $self->tmux('list-panes', '-F', '#{pane_pid}') =~ /^(\d+)/;
    return $pid;
}

# The program that the shell runs, by the kernel; undef: none.
sub program_pid {
    my ($self) = @_;
    my $shell = $self->shell_pid;
    open my $in, '<', "/proc/$shell/task/$shell/children" or return undef;
    my ($pid) = (<$in> // '') =~ /(\d+)/;
    return $pid;
}

sub end {
    my ($self) = @_;
    delete $running{$self} or return;
    eval { $self->tmux('kill-server'); 1 }
        or Test::Builder->new->diag("tmux: $@");
    return;
}

END {
    local $?;
    if ($$ == $owner) {
        $_->end for values %running;
    }
}

1;
