#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What is installed besides the module: an ordinary user installs it all into a
# directory and runs it from there; what was changed of it outlives the next
# time; the manual pages are clean and are rendered; bash completes what can be
# completed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir slurp);
use Cwd qw(getcwd);
use File::Find ();
use File::Temp ();
use POSIX ();
use Test::More;

use constant NOBODY => 65534;

my $build = build_dir();
my $dir = File::Temp->newdir;
my $root = "$dir/root";
chmod 0755, "$dir";

# Standard output and errors together, and the status; as an ordinary user.
sub ordinary {
    my (@command) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        if ($> == 0) {
            $) = NOBODY . ' ' . NOBODY;
            $( = NOBODY;
            POSIX::setuid(NOBODY) or die "setuid: $!\n";
        }
        delete @ENV{ grep { /^MAKE|^MFLAGS|^NO_COLOR$/ } keys %ENV };
        $ENV{HOME} = '/nonexistent';
        exec @command or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($text, $?);
}

# Files below the root, with their modes.
sub installed {
    my %mode;
    File::Find::find({ no_chdir => 1, wanted => sub {
        my @info = lstat or return;
        $mode{ substr $_, length $root } = sprintf '%04o', $info[2] & 07777
            if -f _;
    } }, $root);
    return \%mode;
}

sub spew {
    my ($file, $text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text or die "$file: $!\n";
    close $fh or die "$file: $!\n";
    return;
}

sub install {
    mkdir $root or die "$root: $!\n";
    chown NOBODY, NOBODY, $root if $> == 0;
    my ($out, $status) = ordinary('make', '-s', "BUILD=$build",
                                  "DESTDIR=$root", 'install');
    is($status, 0, 'an ordinary user installs into a directory of its own')
        or diag($out);
    unlike($out, qr/ (?:CC|LD|AR|GEN) /, 'nothing is built for it');

    my $mode = installed();
    my %expected = (
        '/usr/bin/apache-manager' => '0755',
        '/usr/libexec/apache-manager/apache-manager-fetch' => '0755',
        '/usr/share/man/man5/mod_apache_manager.5' => '0644',
        '/usr/share/man/man8/apache-manager.8' => '0644',
        '/usr/share/bash-completion/completions/apache-manager' => '0644',
        '/usr/share/doc/mod-apache-manager/README.md' => '0644',
    );
    is($mode->{$_}, $expected{$_}, "$_ has its mode") for sort keys %expected;
    my ($load) = grep { m{/mods-available/apache_manager\.load$} } keys %$mode;
    is($mode->{ $load // '' }, '0644', 'the line that loads the module');
    like(slurp("$root$load"), qr{^LoadModule\ apache_manager_module\ /.*
                                 /mod_apache_manager\.so$}xm,
         'names its place');
    ok(scalar(grep { m{/mod_apache_manager\.so$} } keys %$mode), 'the module');
    my @odd = grep { $mode->{$_} !~ /^0(?:644|755)$/ } sort keys %$mode;
    is("@odd", '', 'everybody may read all of it, and nobody write it');
    return;
}

# What an administrator has written outlives the next installation.
sub keeps_changes {
    my ($conf) = grep { m{/mods-available/apache_manager\.conf$} }
        keys %{ installed() };
    my $file = $root . ($conf // '');
    my $copy = "$root/usr/share/doc/mod-apache-manager/apache_manager.conf";
    my $shipped = slurp('conf/apache_manager.conf');
    my @again = ('make', '-s', "BUILD=$build", "DESTDIR=$root", 'install');
    is(slurp($file), $shipped, 'the configuration is there');

    spew($_, "# of the last version\n") for $file, $copy;
    my ($out, $status) = ordinary(@again);
    is("$status $out", '0 ', 'it is installed again');
    is(slurp($file), $shipped, 'what nobody changed is the new one');

    my $mine = "$shipped\nManagerMaxTime 5m\n";
    spew($file, $mine);
    spew($copy, "# of the last version\n");
    ($out, $status) = ordinary(@again);
    is($status, 0, 'and again, over a change');
    is(slurp($file), $mine, 'which is kept');
    is(slurp($copy), $shipped, 'the new one is among the documents');
    is($out, "kept $file, which was changed; the new one is $copy\n",
       'it says so');

    spew($file, $shipped);
    ($out, $status) = ordinary(@again);
    is("$status $out", '0 ', 'nothing is said where it is the same');
    unlink $file or die "$file: $!\n";
    ($out, $status) = ordinary(@again);
    is("$status $out", '0 ', 'one that is gone');
    is(slurp($file), $shipped, 'is there again');
    return;
}

sub runs_from_there {
    my $program = "$root/usr/bin/apache-manager";
    my ($version) = slurp('src/base/base.h') =~ /AMGR_VERSION "(.*)"/;
    my ($out, $status) = ordinary($program, '--version');
    is($status, 0, 'the installed program runs');
    like($out, qr/^apache-manager .*\b\Q$version\E\b/, 'it tells its version');
    ($out, $status) = ordinary($program, '--help');
    is($status, 0, '--help');
    like($out, qr/^Usage: apache-manager /, 'and its usage');
    my $binary = slurp($program);
    ok(index($binary, '/usr/libexec/apache-manager') >= 0,
       'it knows where its helper is');
    return;
}

sub pages {
    for (['man8/apache-manager.8', qr/--max-memory-active/],
         ['man5/mod_apache_manager.5', qr/ManagerMaxMemoryActive/]) {
        my ($name, $words) = @$_;
        my $page = "$root/usr/share/man/$name";
        my ($out, $status) = ordinary(qw(mandoc -Tlint -Wwarning), $page);
        is($out, '', "$name is clean");
        is($status, 0, "$name: mandoc says so");
        local @ENV{qw(MANPAGER MANROFFOPT LC_ALL)} = ('cat', '-c', 'C');
        ($out, $status) = ordinary(qw(man -l), $page);
        is($status, 0, "$name: man -l shows it");
        (my $plain = $out) =~ s/.\x08//g;
        like($plain, $words, "$name: what it is about");
        unlike($plain, qr/`[^`'\n]*`|\\f[BP]|^\.[A-Z][a-z]/m,
               "$name: no marks are left");
    }
    # The second is what the README says: every directive, and nothing else.
    my $page = slurp("$root/usr/share/man/man5/mod_apache_manager.5");
    my ($part) = slurp('README.md') =~ /^## Directives\n(.*?)^## /ms;
    is(join("\n", $page =~ /^\.Ss (.*)$/mg),
       join("\n", $part =~ /^### (.*)$/mg), 'all directives, in their order');
    return;
}

# What bash would offer for a line, whose last word is being written.
sub completed {
    my ($line) = @_;
    my $script = <<'END';
. /usr/share/bash-completion/bash_completion
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { :; }
function=$(complete -p apache-manager | sed 's/.* -F \([^ ]*\) .*/\1/')
$function
printf '%s\n' "${COMPREPLY[@]}"
END
    # As readline takes it apart: "=" and ":" are words.
    my @words = $line =~ /([^\s=:]+|[=:]+)/g;
    push @words, '' if $line =~ /\s\z/;
    my ($out) = ordinary('bash', '--norc', '-c', $script, 'bash',
                         "$root/usr/share/bash-completion/completions/"
                         . 'apache-manager', $line, @words);
    return join ' ', sort split ' ', $out;
}

sub completion {
    my @cases = (
        ['apache-manager ', 'restart start status stop tree'],
        ['apache-manager sta', 'start status'],
        ['apache-manager stop ', 'all'],
        ['apache-manager -v restart web a', 'all'],
        ['apache-manager stop --wait 1', '10m 10s'],
        ['apache-manager t', 'tree'],
        ['apache-manager --max-m', '--max-memory-active= --max-memory-idle='],
        ['apache-manager --si', '--simulate'],
        ['apache-manager --color ', 'always auto never'],
        ['apache-manager --color=n', 'never'],
        ['apache-manager --color=', 'always auto never'],
        ['apache-manager -a 5', '500M'],
        ['apache-manager -nki 25', '250M'],
        ['apache-manager --max-memory-idle=2', '250M 2G'],
        ['apache-manager --max-ss 30', '30s'],
        ['apache-manager -T 5', '5m'],
        ['apache-manager --interval 50', '500ms'],
        ['apache-manager --max-kills 5', '5'],
        ['apache-manager -cf conf/ref', 'conf/reference.conf'],
        ['apache-manager --data-file=conf/ref', 'conf/reference.conf'],
        ['apache-manager --url htt', 'http://localhost/ https://localhost/'],
        ['apache-manager --url https:', '//localhost/'],
        ['apache-manager --nonsense', ''],
    );
    is(completed($_->[0]), $_->[1], "completion of '$_->[0]'") for @cases;
    my @all = split ' ', completed('apache-manager -');
    cmp_ok(scalar @all, '>', 30, 'a dash offers all options');
    return;
}

install();
keeps_changes();
runs_from_there();
pages();
completion();
done_testing();
