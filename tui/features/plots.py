"""The keys that switch plots, show one on the whole screen, and choose the test images."""

from dataclasses import replace

from tui.features.feature import Feature, available
from tui.plots.subject import PlotSubject
from tui.state.measurement import ImageSelection
from tui.views.plot_registry import PLOTS, from_plot
from tui.widgets.plot import PlotPanel


class Plots(Feature):
    """Choosing what the plots show."""

    def step(self, steps: int) -> None:
        """Show another plot."""
        (plot,) = from_plot(self.state.plot, steps)
        self.session.show(replace(self.state, plot=plot))

    @available()
    def full_screen(self) -> None:
        """Show the plot with the focus, or else the first one, on the whole screen."""
        from tui.screens.plot import PlotScreen  # late: not at the start

        focused = self.session.app.focused
        if isinstance(focused, PlotPanel) and focused.plot:
            self.session.show(replace(self.state, plot=focused.plot))
        self.session.app.push_screen(PlotScreen(self._subject, self.step))

    def _subject(self) -> PlotSubject:
        return PLOTS[self.state.plot].subject(self.state)

    @available()
    def images(self) -> None:
        """Show test images or, if visible, switch between one per class and newly wrong ones."""
        images = self.state.images
        visible = "predictions" in self.session.main_screen.visible_plots(self.state)
        self._show_images(images.toggled() if visible else images)

    @available()
    def more_images(self) -> None:
        """Show the next test images."""
        self._show_images(self.state.images.next_page())

    def _show_images(self, images: ImageSelection) -> None:
        self.session.bring_into_view("predictions")
        self.session.show(replace(self.state, images=images))
