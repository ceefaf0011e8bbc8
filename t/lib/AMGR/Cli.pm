# SPDX-License-Identifier: Apache-2.0
#
# Runs the built apache-manager and says what came of it.
#
#   my $r = cli('-c', '-f', $file);
#   is($r->{code}, 0);            # exit code, -1 when a signal ended it
#   is($r->{out}, '');            # standard output, and {err}
#   cmp_ok($r->{seconds}, '<', 1);
#
# An options hash may come first: { input => TEXT, env => {...}, as_user =>
# UID, timeout => SECONDS, dir => DIR }.  Whatever does not end in time is
# killed, with {code} -1 and {late} 1.  Nothing of the caller's environment
# that the tool heeds gets through: no proxy, no colours, no configuration.
package AMGR::Cli;

use strict;
use warnings;

use AMGR::Httpd ();
use File::Copy ();
use File::Temp ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use Exporter qw(import);
our @EXPORT_OK = qw(cli cli_program public_program);

sub cli_program { return AMGR::Httpd::build_dir() . '/apache-manager' }

# The same where every user may run it: a checkout may be nobody else's to see.
my $public;

sub public_program {
    if (!$public) {
        $public = File::Temp->newdir(TMPDIR => 1);
        chmod 0755, "$public" or die "$public: $!\n";
        for my $name (qw(apache-manager apache-manager-fetch)) {
            my $file = AMGR::Httpd::build_dir() . "/$name";
            File::Copy::copy($file, "$public/$name") or die "$file: $!\n";
            chmod 0755, "$public/$name" or die "$name: $!\n";
        }
    }
    return "$public/apache-manager";
}

sub cli {
    my %o = ref $_[0] ? %{ shift() } : ();
    my @args = @_;
    my $program = defined $o{as_user} ? public_program() : cli_program();
    my %file = map { $_ => File::Temp->new } qw(in out err);
    print { $file{in} } $o{input} // '';
    $file{in}->flush;
    my $begun = time;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        eval { child(\%o, \%file, $program, @args) };
        print STDERR $@;
        POSIX::_exit(127);
    }
    my $deadline = $begun + ($o{timeout} // 30);
    my ($status, $late);
    while (1) {
        if (waitpid($pid, WNOHANG) == $pid) {
            $status = $?;
            last;
        }
        if (!$late && time > $deadline) {
            $late = 1;
            kill 'KILL', $pid;
        }
        sleep 0.002;
    }
    my %r = (seconds => time - $begun, late => $late, status => $status,
             code => $status & 127 ? -1 : $status >> 8);
    for (qw(out err)) {
        open my $in, '<:raw', $file{$_}->filename or die "$_: $!\n";
        local $/;
        $r{$_} = <$in> // '';
    }
    return \%r;
}

sub child {
    my ($o, $file, $program, @args) = @_;
    open STDIN, '<', $file->{in}->filename or die "stdin: $!\n";
    open STDOUT, '>&', $file->{out} or die "stdout: $!\n";
    open STDERR, '>&', $file->{err} or die "stderr: $!\n";
    delete @ENV{ grep { /proxy$|^NO_COLOR$|^APACHE_|^TERM$/i } keys %ENV };
    $ENV{HOME} = '/nonexistent';
    $ENV{$_} = $o->{env}{$_} for keys %{ $o->{env} // {} };
    if (defined $o->{dir}) {
        chdir $o->{dir} or die "$o->{dir}: $!\n";
    }
    if (defined $o->{as_user}) {
        $) = "$o->{as_user} $o->{as_user}";
        $( = $o->{as_user};
        POSIX::setuid($o->{as_user}) or die "setuid: $!\n";
    }
    exec { $program } 'apache-manager', @args or die "$program: $!\n";
}

1;
