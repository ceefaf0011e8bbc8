# SPDX-License-Identifier: Apache-2.0
#
# Programs under valgrind's memcheck, and what its logs have to say of them.
#
#   my $v = AMGR::Valgrind->new($s);     # before $s->start
#   $v->run_under($s);
#   ...
#   my @logs = $v->logs;                 # once $s is stopped
#   is("@{ $_->{errors} }", '') for @logs;
#
# Each process that is forked has a log of its own.  Programs that are not ours
# (managed processes, loggers) are let alone.
package AMGR::Valgrind;

use strict;
use warnings;

use AMGR::Httpd ();

use constant {
    FRAMES => 50,      # from pools of APR up to whoever asked for them
    ERROR_STATUS => 99,
};

# What has a stack that leads through one of these is ours.
my $ours = qr/mod_apache_manager\.so|apache-manager-fetch/;

my @not_ours = qw(*/perl *perl5* */sh */sleep */rotatelogs);

sub new {
    my ($class, $s, %opt) = @_;
    my $dir = $s->path('valgrind');
    mkdir $dir or die "$dir: $!\n";
    chmod 01777, $dir; # some of them are www-data's
    return bless { dir => $dir, ours => $opt{ours} // $ours,
                   shims => [map { $s->build_object($_) } qw(pools pidfds)],
    }, $class;
}

sub command {
    my ($self) = @_;
    return ('valgrind', '--tool=memcheck', '--vgdb=no', '--trace-children=yes',
            '--trace-children-skip=' . join(',', @not_ours),
            '--num-callers=' . FRAMES, '--track-origins=no',
            '--leak-check=full', '--show-leak-kinds=all',
            '--errors-for-leak-kinds=definite',
            '--error-exitcode=' . ERROR_STATUS,
            "--log-file=$self->{dir}/%p.log");
}

sub shims { return @{ $_[0]{shims} } }

# The server starts under it.
sub run_under {
    my ($self, $s) = @_;
    $s->{launcher} = [$self->command];
    $s->{env}{LD_PRELOAD} = join ' ', $self->shims;
    return $self;
}

# One for each process:
#   pid
#   has_ended  it came to an end by itself, which valgrind has seen
#   errors     whatever memcheck objects to, each with its stack
#   kept       what our code has asked for and was there at the end, each as
#              { blocks => how many of one stack, text => ... }
sub logs {
    my ($self) = @_;
    my @logs;
    for my $file (sort glob "$self->{dir}/*.log") {
        my ($pid) = $file =~ /(\d+)\.log$/;
        my $log = $self->read_log(AMGR::Httpd::slurp($file));
        push @logs, { pid => $pid, %$log };
    }
    return @logs;
}

sub read_log {
    my ($self, $text) = @_;
    my (@errors, @kept);
    my ($count) = $text =~ /ERROR SUMMARY: (\d+) errors/;
    $text =~ s/^(?:==|--|\*\*)\d+(?:==|--|\*\*) ?//mg;
    for my $part (split /\n\s*\n/, $text) {
        next unless $part =~ /^\s+(?:at|by) 0x/m;
        my ($blocks, $kind) =
            $part =~ /([\d,]+) blocks are ([a-z ]+?) in loss record/;
        if (!$blocks) {
            push @errors, $part;
            next;
        }
        push @errors, $part if $kind eq 'definitely lost';
        $blocks =~ tr/,//d;
        push @kept, { blocks => $blocks, text => $part }
            if $part =~ $self->{ours};
    }
    # The sum is of errors that the log may have no room for, too.
    push @errors, "$count errors" if $count && !@errors;
    return { has_ended => defined $count, errors => \@errors, kept => \@kept };
}

1;
