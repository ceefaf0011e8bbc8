#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The built program: what it says to wrong arguments, where it says it, its
# files of settings, and that what was not written does not pass for success.
# Where a server is needed to come that far, none is there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli cli_program);
use File::Temp ();
use Socket qw(inet_aton pack_sockaddr_in);
use Test::More;

my $dir = File::Temp::tempdir('amgr-cli-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $program = cli_program();
my $hint = q{Try 'apache-manager --help'};

# Nobody listens there while it is bound.
socket my $taken, Socket::PF_INET(), Socket::SOCK_STREAM(), 0 or die $!;
bind $taken, pack_sockaddr_in(0, inet_aton('127.0.0.1')) or die $!;
my ($port) = Socket::unpack_sockaddr_in(getsockname $taken);
my @nobody = ('--url', "http://127.0.0.1:$port/manager-status");

sub put {
    my ($name, $text, $mode) = @_;
    open my $out, '>', "$dir/$name" or die "$name: $!\n";
    print {$out} $text;
    close $out or die "$name: $!\n";
    chmod $mode // 0644, "$dir/$name" or die "$name: $!\n";
    return "$dir/$name";
}

sub get {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

# Exit code and both outputs at once, by a shell that does with them what a
# test of the program alone cannot.
sub shell {
    my ($script, @args) = @_;
    my $pid = open my $pipe, '-|';
    die "fork: $!\n" unless defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        $ENV{HOME} = '/nonexistent';
        delete $ENV{NO_COLOR};
        exec 'sh', '-c', $script, 'sh', $program, @args
            or POSIX::_exit(127);
    }
    local $/;
    my $out = <$pipe>;
    close $pipe;
    return ($? >> 8, $out);
}

# ---- wrong usage -------------------------------------------------------------

for my $case (
    [['-x'], q{unknown option '-x'}],
    [['--nonsense'], q{unknown option '--nonsense'}],
    [['--max-memory', '1'], q{ambiguous option '--max-memory', it may be --max-memory-active, --max-memory-idle.}],
    [['--colo'], q{a value is missing after '--colo'}],
    [['-a', '99999999999G'], q{--max-memory-active: '99999999999G' is not small enough: at most 1048576 TB}],
    [['-t', '4000y'], q{--max-time: '4000y' is not short enough: at most 10000 days}],
    [['-a'], q{a value is missing after '-a'}],
    [['-a', 'banana'], q{--max-memory-active: 'banana' is not a size}],
    [['-i', '3MB extra'], q{--max-memory-idle: '3MB extra' is not a size}],
    [['-t', '1h30m'], q{--max-time: '1h30m' is not a time span}],
    [['-T', 'never'], q{--hanging-worker-threshold: 'never' is not a time}],
    [['--max-kills', 'all'], q{--max-kills: 'all' is not a whole number}],
    [['--interval', '1ms'], q{--interval: '1ms' is not a time span}],
    [['--color', 'blue'], q{--color: 'blue' is not auto, always or never}],
    [['launch'], q{unknown command 'launch', there are: tree, status, start, stop and restart}],
    [['start'], q{start whom? Name processes, or all}],
    [['--wait', '1h', 'stop', 'web'], q{--wait: '1h' is not a time span up to 10 minutes}],
    [["-a", "\e]0;x\a"], q{--max-memory-active: '\x1b]0;x\x07' is not a size}],
) {
    my ($args, $text) = @$case;
    my $r = cli(@$args);
    (my $name = "@$args") =~ s/[^ -~]/./g;
    is($r->{code}, 2, "$name: exit code");
    is($r->{out}, '', "$name: nothing on standard output");
    like($r->{err}, qr/^apache-manager: \Q$text\E.*\Q$hint\E\n\z/,
         "$name: one line says it");
}

# ---- help and version ----------------------------------------------------------

my $r = cli('--help');
is("$r->{code} $r->{err}", '0 ', 'help is no failure');
like($r->{out}, qr/^Usage: apache-manager \[OPTIONS\]\n/, '... on output');
for my $option (qw(c k w a i t T f z n v q h)) {
    like($r->{out}, qr/^  -$option, --\w/m, "... with -$option");
}
cmp_ok((sort { $b <=> $a } map { length } split /\n/, $r->{out})[0], '<=', 80,
       '... within 80 columns');
is(cli('-h')->{out}, $r->{out}, '-h is the same');
is(cli('--help', '-k')->{out}, $r->{out}, '... and alone');
like(cli('--version')->{out}, qr/^apache-manager \d+\.\d+\.\d+\n\z/,
     'the version');

# What was unique among the names of the original stays its.
for my $length (1 .. 6) {
    my $name = substr 'collect', 0, $length;
    like(cli(@nobody, "--$name", '-f', '-')->{err}, qr/127\.0\.0\.1:$port/,
         "--$name collects");
}
for my $name (qw(v ve ver verb)) {
    is(cli("--$name", '--help')->{code}, 0, "--$name is --verbose");
    like(cli(@nobody, "--$name")->{err}, qr/127\.0\.0\.1:$port/,
         '... not --version');
}

# ---- no server -----------------------------------------------------------------

for my $args ([], ['-c', '-f', '-'], ['-c', '-f', "$dir/none"], ['--json'],
              ['--processes'], ['-qqq'], ['-k', '-i', '1K']) {
    $r = cli(@nobody, @$args);
    is($r->{code}, 1, "no server: @$args: exit code");
    is($r->{out}, '', "... nothing on output");
    like($r->{err}, qr/^apache-manager: .*\b127\.0\.0\.1:$port\b.*\n\z/,
         '... one line names it');
}
ok(!-e "$dir/none", 'and no file');
is(join(' ', glob "$dir/.none*"), '', '... nor a part of one');
put('old', "old\n");
is(cli(@nobody, '-cf', "$dir/old")->{code}, 1, 'a file that was there');
is(get("$dir/old"), "old\n", '... stays as it was');

# ---- levels ----------------------------------------------------------------------

my $dry = "apache-manager: Performing a dry run ..\n";
like(cli(@nobody, '-n')->{err}, qr/^\Q$dry\E/, 'a dry run says so');
for my $args ([qw(-n -q)], [qw(-q -n)], [qw(-qn)]) {
    unlike(cli(@nobody, @$args)->{err}, qr/dry run/, "... not with @$args");
}
like(cli(@nobody, '-n', '-v', '-q')->{err}, qr/^\Q$dry\E/m,
     '... and -v takes -q back');

# ---- files of settings -------------------------------------------------------------

sub with_home {
    my ($text, @args) = @_;
    put('.apache-manager.ini', $text);
    return cli({ env => { HOME => $dir } }, @nobody, @args);
}

$r = with_home("[apache-manager]\n\nmax-memory-idle = lots\n");
is($r->{code}, 2, 'a bad value in a file of settings: exit code');
like($r->{err}, qr{^apache-manager: \Q$dir\E/\.apache-manager\.ini:3: max-memory-idle: 'lots' is not a size}, '... file, line and what it should be');
is(with_home("nonsense\n")->{code}, 2, '... bad syntax');
$r = with_home("[apache-manager]\nmax-memmory = 5\n");
is($r->{code}, 1, 'a key nobody knows: goes on');
like($r->{err}, qr{apache-manager\.ini:2: 'max-memmory' is not known},
     '... with a warning');
unlike(with_home("[apache-manager]\nmax-memmory = 5\n", '-qqq')->{err},
       qr/not known/, '... which -qqq hides');
is(with_home("nonsense\n", '--help')->{code}, 0, 'help needs no settings');

# What somebody else can write is no word to root.
{
    my $is_root = $> == 0;
    put('.apache-manager.ini', "[apache-manager]\nmax-memory-idle = 1K\n",
        0666);
    $r = cli({ env => { HOME => $dir } }, @nobody, '-k');
    is($r->{code}, $is_root ? 2 : 1, 'a file that all can write: exit code');
    my $said = $r->{err} =~ /can be written by others than root/ ? 1 : 0;
    is($said, $is_root ? 1 : 0, '... refused to root alone');
    unlink "$dir/.apache-manager.ini";
}

# ---- where output cannot go -----------------------------------------------------------

my ($code, $out) = shell('exec "$@" > /dev/full', '--help');
is($code, 1, 'a full disk: exit code');
is($out, "apache-manager: standard output: No space left on device\n",
   '... one line');
($code, $out) = shell('exec "$@" >&-', '--help');
is($code, 1, 'no standard output');
like($out, qr/^apache-manager: standard output: .*\n\z/, '... one line');
{
    # Nobody is there to read from the beginning.
    pipe my $reader, my $writer or die "pipe: $!\n";
    close $reader;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>&', $writer or POSIX::_exit(126);
        open STDERR, '>', "$dir/complaint" or POSIX::_exit(126);
        $ENV{HOME} = '/nonexistent';
        exec $program, '--help' or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    is("$?" >> 8, 1, 'a reader that goes away is no crash');
    is(get("$dir/complaint"), '', '... and no reason to complain');
}

done_testing();
