"""The plots on the screen: the next one, and which test images they show."""

from dataclasses import replace

from tui.features.feature import Feature, available
from tui.state.measurement import ImageSelection
from tui.views.plot_registry import from_plot


class Plots(Feature):
    """The keys that choose what the plots show."""

    def step(self, steps: int) -> None:
        """Show another plot."""
        (plot,) = from_plot(self.state.plot, steps)
        self.session.show(replace(self.state, plot=plot))

    @available()
    def images(self) -> None:
        """Show test images; once they are visible, those that only the pruned net gets wrong."""
        images = self.state.images
        visible = "predictions" in self.session.explore.visible_plots(self.state)
        self._show_images(images.toggled() if visible else images)

    @available()
    def more_images(self) -> None:
        """Show the next test images."""
        self._show_images(self.state.images.next_page())

    def _show_images(self, images: ImageSelection) -> None:
        self.session.bring_into_view("predictions")
        self.session.show(replace(self.state, images=images))
