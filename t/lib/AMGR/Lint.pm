# SPDX-License-Identifier: Apache-2.0
#
# What the lint tests share: where files are and what is in them.  A file that
# cannot be found or read is fatal, never a skip.
package AMGR::Lint;

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Find ();
use File::Spec;

use Exporter qw(import);
our @EXPORT_OK = qw(slurp files sources headers build_dir httpd_include
                    apr_flags without_comments without_text @CORE);

# The layers that know nothing of httpd, in order.
our @CORE = qw(base proc model policy action supervise render);

my $repo = Cwd::abs_path(dirname(__FILE__) . '/../../..');
chdir $repo or die "$repo: $!\n";

sub build_dir { return $ENV{AMGR_BUILD} // 'build' }

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    my $text = <$fh>;
    die "$file is empty\n" unless defined $text && length $text;
    return $text;
}

# Files below these directories whose name matches; none at all is fatal.
sub files {
    my ($pattern, @under) = @_;
    my @found;
    my @there = grep { -e } @under;
    die "none of these is there: @under\n" unless @there;
    File::Find::find({
        no_chdir => 1,
        wanted   => sub { push @found, $_ if -f && /$pattern/ },
    }, @there);
    die "no file matches $pattern below @under\n" unless @found;
    return sort @found;
}

sub sources {
    die "mod_apache_manager.c is missing\n" unless -f 'mod_apache_manager.c';
    return ('mod_apache_manager.c', files(qr/\.[ch]$/, 'src'));
}

sub headers { return files(qr/\.h$/, 'src') }

sub command_output {
    my (@command) = @_;
    open my $fh, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $out = <$fh> // '';
    close $fh or die "@command failed\n";
    $out =~ s/\s+$//;
    return $out;
}

sub apr_flags {
    return split ' ', command_output('apr-1-config', '--includes',
                                     '--cppflags');
}

sub httpd_include {
    return command_output($ENV{APXS} // 'apxs', '-q', 'INCLUDEDIR');
}

# C without comments, line numbers kept.
sub without_comments {
    my ($text) = @_;
    $text =~ s{("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(/\*.*?\*/|//[^\n]*)}
              {defined $1 ? $1 : blank($2)}gse;
    return $text;
}

# C without comments and without what stands in quotes.
sub without_text {
    my ($text) = @_;
    $text = without_comments($text);
    $text =~ s/"(?:[^"\\\n]|\\.)*"/""/g;
    $text =~ s/'(?:[^'\\\n]|\\.)+'/' '/g;
    return $text;
}

sub blank {
    my ($text) = @_;
    $text =~ s/[^\n]/ /g;
    return $text;
}

1;
